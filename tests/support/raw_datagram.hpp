// SPDX-License-Identifier: MIT
//
// RawDatagramSocket: a UDP socket in plain system calls, bound to a port that the kernel chose.
//
// Lifetime:  owns its descriptor.
// Threads:   one may send while another reads.
// Errors:    throws std::system_error when the kernel refuses what the script says, or when a
//            wait runs out (std::errc::timed_out).
// See:       udp(7).

#pragma once

#include "support/datagram_peer.hpp"
#include "support/raw_socket.hpp"

#include <berth/endpoint.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace berth::test {

class RawDatagramSocket final : public DatagramPeer {
public:
    // Of the family of `beside`, on its loopback address.
    explicit RawDatagramSocket(const Endpoint& beside);

    void send_to(const Endpoint& to, std::string_view bytes) override;
    std::optional<Letter> read_now() override;
    Endpoint endpoint() const override { return endpoint_; }
    void close() override { socket_.close(); }

    Letter read();  // waits, at most patience()
    // Nothing has come for a short while.
    bool hears_nothing();
    int descriptor() const { return socket_.number(); }

private:
    bool is_readable_within(int milliseconds) const;

    OwnedDescriptor socket_;
    Endpoint endpoint_;
};

// Where a client of this listener sends to: loopback, if it listens everywhere.
Endpoint reachable(const Endpoint& listener);

}  // namespace berth::test
