// SPDX-License-Identifier: MIT
//
// Datagram: the public face of a datagram in hand.

#include <berth/datagram.hpp>

#include "net/datagram_port.hpp"

namespace berth {

namespace {

const net::DatagramInHand& in_hand(const Datagram& datagram) {
    return static_cast<const net::DatagramInHand&>(datagram);
}

}  // namespace

Bytes Datagram::payload() const { return in_hand(*this).received().bytes; }

bool Datagram::is_truncated() const { return in_hand(*this).received().is_truncated; }

Endpoint Datagram::peer_endpoint() const {
    return {in_hand(*this).port().endpoint().scheme(), in_hand(*this).received().peer};
}

Endpoint Datagram::local_endpoint() const {
    const Endpoint& bound = in_hand(*this).port().endpoint();
    IpEndpoint local = in_hand(*this).received().local;
    if (local.family == 0) return bound;
    local.port = bound.port();
    return {bound.scheme(), local};
}

std::size_t Datagram::listener_index() const { return in_hand(*this).port().listener(); }

EventLoop& Datagram::loop() const { return in_hand(*this).table().face(); }

bool Datagram::reply(Bytes bytes) {
    const net::DatagramInHand& datagram = in_hand(*this);
    const driver::ReceivedDatagram& received = datagram.received();
    const IpEndpoint from = received.is_to_many ? IpEndpoint{} : received.local;
    return datagram.port().send(received.peer, from, bytes);
}

}  // namespace berth
