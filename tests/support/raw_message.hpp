// SPDX-License-Identifier: MIT
//
// RawMessages: one end of a Unix socket of any type, in plain system calls: whole messages, and the
// descriptors that come with them.
//
// Lifetime:  owns its descriptor, and what it received until a test takes it.
// Threads:   one.
// Errors:    throws std::system_error when the kernel refuses what the script says, or when a
//            wait runs out (std::errc::timed_out).
// See:       unix(7).

#pragma once

#include "support/raw_socket.hpp"

#include <berth/endpoint.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::test {

struct RawMessage {
    std::string bytes;  // none: the end
    std::vector<OwnedDescriptor> attached;
    std::string from;  // a name, or none
};

class RawMessages {
public:
    // Connects. Of datagrams it has a name of its own, which the kernel chose.
    static RawMessages connect(const Endpoint& to);
    // Bound; of datagrams.
    static RawMessages bound(const Endpoint& at);
    // Without a name, and connected to nobody.
    static RawMessages unnamed(Scheme scheme);
    // Without names, and connected to the other descriptor: socketpair(2).
    static std::pair<OwnedDescriptor, RawMessages> pair(Scheme scheme);

    void send(std::string_view bytes, const std::vector<int>& attached = {});
    // False: there is no room for it.
    bool send_now(std::string_view bytes);
    void send_to(const Endpoint& to, std::string_view bytes);
    RawMessage read();  // waits, at most patience()
    std::optional<RawMessage> read_now();
    void end();
    void close() { socket_.close(); }

    int descriptor() const { return socket_.number(); }
    Endpoint endpoint() const;

private:
    explicit RawMessages(Scheme scheme);
    RawMessages(Scheme scheme, int socket) : scheme_(scheme), socket_(socket) {}

    Scheme scheme_;
    OwnedDescriptor socket_;
};

// The two ends of a pipe: [0] is read from.
std::pair<OwnedDescriptor, OwnedDescriptor> raw_pipe();
// What can be read from it now.
std::string text_in(int pipe);
void write_into(int pipe, std::string_view text);

}  // namespace berth::test
