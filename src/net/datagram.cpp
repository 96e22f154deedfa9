// SPDX-License-Identifier: MIT
//
// Datagram: the public face of a datagram in hand.

#include <berth/datagram.hpp>

#include "net/datagram_port.hpp"

#include <string>
#include <string_view>

namespace berth {

namespace {

const net::DatagramInHand& in_hand(const Datagram& datagram) {
    return static_cast<const net::DatagramInHand&>(datagram);
}

bool reply_to_name(const net::DatagramInHand& datagram, Bytes bytes) {
    const std::string_view name = datagram.received().peer_name;
    if (!name.empty()) return datagram.port().send_named(name, bytes);
    datagram.table().counters().datagrams.refused.add();
    return false;
}

}  // namespace

Bytes Datagram::payload() const { return in_hand(*this).received().bytes; }

bool Datagram::is_truncated() const { return in_hand(*this).received().is_truncated; }

Endpoint Datagram::peer_endpoint() const {
    const Endpoint& bound = in_hand(*this).port().endpoint();
    const driver::ReceivedDatagram& received = in_hand(*this).received();
    if (bound.is_unix()) return {bound.scheme(), std::string(received.peer_name)};
    return {bound.scheme(), received.peer};
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
    if (datagram.port().endpoint().is_unix()) return reply_to_name(datagram, bytes);
    const IpEndpoint from = received.is_to_many ? IpEndpoint{} : received.local;
    return datagram.port().send(received.peer, from, bytes);
}

}  // namespace berth
