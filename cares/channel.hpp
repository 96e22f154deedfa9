// SPDX-License-Identifier: MIT
//
// Channel: c-ares with its sockets, waited for by poll(2).
//
// Lifetime:  what is open when it goes is answered with not_running.
// Threads:   one.

#pragma once

#include <berth/cares_resolver.hpp>

#include <ares.h>

#include <map>
#include <memory>

namespace berth::cares {

class Channel {
public:
    static Result<std::unique_ptr<Channel>> open(const CaresResolverOptions& options);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel();

    // The answer may come from inside this call.
    void ask(const NameQuery& query, NameAnswer&& answer);
    // Until `wake` can be read, or something of its own happens, which is dealt with.
    void wait(int wake);

private:
    Channel() = default;
    static void watch(void* channel, ares_socket_t socket, int readable, int writable);
    void process(ares_socket_t socket, short events);

    ares_channel channel_ = nullptr;
    std::map<ares_socket_t, short> sockets_;  // what each is waited for
};

}  // namespace berth::cares
