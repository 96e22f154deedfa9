// SPDX-License-Identifier: MIT
//
// Channel: c-ares with its sockets, waited for by poll(2).
//
// Names that the search list of resolv.conf(5) may complete are asked for in one question, lest
// the families be found under different names. Those with enough dots come as they are first: by
// a c-ares that has no such list, in a question for each family. Only if there is no such name are
// they searched, too.
//
// Lifetime:  what is open when it goes is answered with not_running.
// Threads:   one.

#pragma once

#include "lookup.hpp"

#include <berth/cares_resolver.hpp>

#include <ares.h>

#include <map>
#include <memory>
#include <string_view>
#include <type_traits>

namespace berth::cares {

class Channel {
public:
    static Result<std::unique_ptr<Channel>> open(const CaresResolverOptions& options);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel() = default;

    // The answer may come from inside this call.
    void ask(NameQuery&& query, NameAnswer&& answer);
    // Until `wake` can be read, or something of its own happens, which is dealt with.
    void wait(int wake);

private:
    enum class Search : bool { no, yes };
    struct Destroy {
        void operator()(ares_channel channel) const { ares_destroy(channel); }
    };
    using Ares = std::unique_ptr<std::remove_pointer_t<ares_channel>, Destroy>;
    struct Question;

    Channel() = default;
    Result<void> begin(Ares& ares, const CaresResolverOptions& options, Search search);
    void read_search_list();
    bool is_asked_as_it_is(std::string_view host) const;
    void ask(std::unique_ptr<Lookup> lookup, Search search);
    static void answered(void* question, int status, int timeouts, ares_addrinfo* found);
    static void watch(void* channel, ares_socket_t socket, int readable, int writable);
    void process(ares_socket_t socket, short events);

    std::map<ares_socket_t, short> sockets_;  // what each is waited for
    bool has_search_list_ = true;
    unsigned dots_min_ = 1;  // of a name that is asked for as it is, first
    Ares searching_;
    Ares plain_;
};

}  // namespace berth::cares
