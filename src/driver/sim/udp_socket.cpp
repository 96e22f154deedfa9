// SPDX-License-Identifier: MIT
//
// UdpSocket: sent, perhaps lost, perhaps late, received by whoever stands closest.

#include "driver/sim/udp_socket.hpp"

#include "base/outcome.hpp"
#include "driver/sim/inet_socket.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/process.hpp"
#include "driver/socket_rows.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace berth::driver::sim {

namespace {

constexpr std::size_t kDatagramMax = 65507;
constexpr std::size_t kPacketCost = 832;  // of an empty one in a receive buffer

}  // namespace

UdpSocket::UdpSocket(Network& network, Family family)
    : InetSocket(network, Protocol::udp, family) {}

Outcome<void> UdpSocket::connect(const Endpoint& endpoint) {
    if (!choose_port()) return base::failed(EAGAIN);
    if (is_foreign(endpoint.ip()) && !is_dual_stack()) return base::failed(EAFNOSUPPORT);
    const auto peer = destination(endpoint.ip());
    if (!peer) return base::failed(peer.errno_value());
    local_ = opposite(*peer);
    peer_ = *peer;
    return {};
}

// Unlike TCP, it takes an IPv4 address for the IPv4-mapped one.
Outcome<Place> UdpSocket::destination(const IpEndpoint& ip) const {
    return place_of(is_foreign(ip) ? as_mapped(ip) : ip);
}

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

// A port is chosen first, also where nothing can be sent.
Outcome<std::size_t> UdpSocket::send(Bytes bytes) {
    if (!choose_port()) return base::failed(EAGAIN);
    if (!is_connected()) return base::failed(EDESTADDRREQ);
    if (peer_.port == 0 && is_mapped()) return base::failed(EINVAL);
    return send_packet(peer_, bytes);
}

Outcome<std::size_t> UdpSocket::send_to(const Endpoint& endpoint, Bytes bytes) {
    if (!choose_port()) return base::failed(EAGAIN);
    const auto to = destination(endpoint.ip());
    const bool has_right_family = family() == Family::v6 || endpoint.ip().family == 4;
    const bool is_v4_for_v6_only = to.errno_value() == ENETUNREACH && !is_dual_stack();
    if (endpoint.port() == 0 && has_right_family && !is_v4_for_v6_only) {
        return base::failed(EINVAL);
    }
    if (!to) return base::failed(to.errno_value());
    return send_packet(*to, bytes);
}

Outcome<std::size_t> UdpSocket::send_packet(const Place& to, Bytes bytes) {
    if (bytes.size() > kDatagramMax) return base::failed(EMSGSIZE);
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (no_more_sent_) return base::failed(EPIPE);

    Packet packet{.from = opposite(to), .to = to, .bytes = {bytes.begin(), bytes.end()}};
    if (kernel().happens(kernel().weather().lost_datagram)) return bytes.size();
    const auto arrival = network().arrival();
    auto deed = [sender = weak_from_this(), &network = network(),
                 packet = std::move(packet)]() mutable { deliver(network, sender, packet); };
    if (arrival <= kernel().now()) {
        network().agenda().enter_now(std::move(deed));
    } else {
        network().agenda().enter(arrival, std::move(deed));
    }
    return bytes.size();
}

void UdpSocket::deliver(Network& network, const std::weak_ptr<UdpSocket>& sender, Packet& packet) {
    if (UdpSocket* receiver = receiver_of(network, packet); receiver != nullptr) {
        receiver->enqueue(packet);
        return;
    }
    // ICMP port unreachable: only a connected sender hears of it.
    const auto told = sender.lock();
    if (told != nullptr && told->is_from_peer(packet.to)) told->error_ = ECONNREFUSED;
}

// ── Receiving ────────────────────────────────────────────────────────────────────────────────

// Of those equally close the last to come, unless SO_REUSEPORT spreads them.
UdpSocket* UdpSocket::receiver_of(Network& network, const Packet& packet) {
    std::vector<UdpSocket*> closest;
    int best = 1;
    for (PortOwner* owner : network.ports().owners(Protocol::udp, packet.to.port)) {
        auto* socket = static_cast<UdpSocket*>(owner);
        const int close = socket->closeness(packet);
        if (close > best) closest.clear();
        if (close >= best) closest.push_back(socket);
        best = std::max(best, close);
    }
    if (closest.empty()) return nullptr;
    if (!closest.back()->reuses_port()) return closest.back();
    return closest[hash_of(packet.from) % closest.size()];
}

int UdpSocket::closeness(const Packet& packet) const {
    if (!overlap(local(), packet.to)) return 0;
    if (is_connected() && !is_from_peer(packet.from)) return 0;
    return 1 + (local().families == packet.to.families ? 1 : 0) + (local().is_wildcard() ? 0 : 2) +
           (is_connected() ? 4 : 0);
}

bool UdpSocket::is_from_peer(const Place& place) const {
    return peer_.host == place.host && peer_.families == place.families &&
           (peer_.port == 0 || peer_.port == place.port);
}

// A full buffer drops, and counts: what comes next tells of it.
void UdpSocket::enqueue(Packet& packet) {
    const std::size_t cost = kPacketCost + packet.bytes.size();
    if (filter_ == Filter::everything || received_cost_ + cost > receive_buffer_) {
        ++dropped_;
        return;
    }
    packet.dropped_before = dropped_;
    received_cost_ += cost;
    received_.push_back(std::move(packet));
}

Outcome<std::size_t> UdpSocket::receive(MutableBytes into) {
    const auto received = receive_from(into);
    if (!received) return base::failed(received.errno_value());
    return received->size;
}

Outcome<Datagram> UdpSocket::receive_from(MutableBytes into) {
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (received_.empty()) return base::failed(EAGAIN);
    const Packet packet = std::move(received_.front());
    received_.pop_front();
    received_cost_ -= kPacketCost + packet.bytes.size();
    const std::size_t count = std::min(into.size(), packet.bytes.size());
    std::ranges::copy(Bytes{packet.bytes}.first(count), into.begin());
    return Datagram{.size = count,
                    .truncated = count < packet.bytes.size(),
                    .from = Endpoint{Scheme::udp, as_ip(packet.from)},
                    .to = as_ip(packet.to),
                    .dropped = packet.dropped_before};
}

// What the options ask for is told in any case.
Outcome<void> UdpSocket::set(SocketOption option, int value) {
    switch (option) {
        case SocketOption::tell_destination:
        case SocketOption::count_drops:
        case SocketOption::broadcast: return {};
        default: return InetSocket::set(option, value);
    }
}

// ── The rest ─────────────────────────────────────────────────────────────────────────────────

// Takes effect even where it fails, as in Linux.
Outcome<void> UdpSocket::shutdown(Shut what) {
    if (what != Shut::sending) no_more_received_ = true;
    if (what != Shut::reading) no_more_sent_ = true;
    if (!is_connected()) return base::failed(ENOTCONN);
    return {};
}

Outcome<Endpoint> UdpSocket::peer_endpoint(Scheme scheme) const {
    if (peer_.port == 0) return base::failed(ENOTCONN);
    return Endpoint{scheme, as_ip(peer_)};
}

SocketRow UdpSocket::row() const {
    auto row = row_in(is_connected() ? SocketState::established : SocketState::closed);
    row.receive_queue = static_cast<std::uint32_t>(received_cost_);
    return row;
}

Readiness UdpSocket::readiness() const {
    return {.readable = no_more_received_ || !received_.empty(),
            .writable = true,
            .peer_ended = no_more_received_,
            .hung_up = no_more_received_ && no_more_sent_,
            .failed = error_ != 0};
}

}  // namespace berth::driver::sim
