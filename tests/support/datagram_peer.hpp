// SPDX-License-Identifier: MIT
//
// DatagramPeer: the other side of a datagram socket, in the words of a test's script.
//
// Lifetime:  owns its socket.
// Errors:    throws std::system_error when the kernel refuses what the script says.

#pragma once

#include <berth/endpoint.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace berth::test {

struct Letter {
    std::string bytes;
    IpEndpoint from;
};

class DatagramPeer {
public:
    virtual ~DatagramPeer() = default;

    virtual void send_to(const Endpoint& to, std::string_view bytes) = 0;
    // The next datagram, if there is one.
    virtual std::optional<Letter> read_now() = 0;
    virtual Endpoint endpoint() const = 0;
    virtual void close() = 0;
};

}  // namespace berth::test
