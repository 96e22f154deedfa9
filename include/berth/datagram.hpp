// SPDX-License-Identifier: MIT
//
// Datagram: one message that a udp:// or unixgram: listener received: its bytes, whom it is from,
// whom it was sent to.
//
//     void on_datagram(berth::Datagram& datagram) override { datagram.reply(datagram.payload()); }
//
// Lifetime:  good for the callback that it was given to. What is to be kept has to be copied;
//            EventLoop::send_to and Engine::send_to answer a peer_endpoint() later.
// Threads:   the loop's.
// Errors:    UDP promises nothing, and neither does a reply. What the kernel refuses is dropped,
//            and counted in EngineSnapshot::Datagrams.
// See:       udp(7); docs/guides/datagrams.md.

#pragma once

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>
#include <berth/export.hpp>

#include <cstddef>
#include <string_view>

namespace berth {

class EventLoop;

class BERTH_EXPORT Datagram {
public:
    Datagram(const Datagram&) = delete;
    Datagram& operator=(const Datagram&) = delete;

    Bytes payload() const;  // may be empty
    std::string_view text() const { return as_text(payload()); }
    // It was longer than Options::datagram_max: the rest is lost.
    bool is_truncated() const;

    Endpoint peer_endpoint() const;  // without a name: a Unix socket that is not bound
    // Where it was sent to: also on a listener of every address the one that the peer wrote on it.
    Endpoint local_endpoint() const;
    // Which of the addresses given to start() received it, from 0.
    std::size_t listener_index() const;
    EventLoop& loop() const;

    // To its sender, from the address that it was sent to. The replies to what arrived together
    // leave together, when the last of its callbacks has returned; their bytes are copied, unless
    // they are payload(). Empty ones go, too. False: more than a datagram can carry, or
    // the sender has no name to be answered at (counted as refused).
    bool reply(Bytes bytes);
    bool reply(std::string_view text) { return reply(as_bytes(text)); }

protected:
    Datagram() = default;
    ~Datagram() = default;
};

}  // namespace berth
