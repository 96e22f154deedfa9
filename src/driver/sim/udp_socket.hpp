// SPDX-License-Identifier: MIT
//
// UdpSocket: datagrams, which may overtake each other and get lost.
//
// Lifetime:  its descriptor's; what is on its way to it finds it by its place, or nobody.
// Threads:   one.
// See:       udp(7).

#pragma once

#include "base/outcome.hpp"
#include "driver/sim/inet_socket.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/socket.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace berth::driver::sim {

class UdpSocket final : public InetSocket, public std::enable_shared_from_this<UdpSocket> {
public:
    UdpSocket(Network& network, Family family);

    Outcome<void> connect(const Endpoint& endpoint) override;
    Outcome<std::size_t> send(Bytes bytes) override;
    Outcome<std::size_t> send_to(const Endpoint& endpoint, Bytes bytes) override;
    Outcome<std::size_t> receive(MutableBytes into) override;
    Outcome<Datagram> receive_from(MutableBytes into) override;
    Outcome<void> set(SocketOption option, int value) override;
    Outcome<void> shutdown(Shut what) override;
    void close() override { release_port(); }

    Outcome<Endpoint> peer_endpoint(Scheme scheme) const override;
    Outcome<std::size_t> unacknowledged() const override { return 0U; }
    Readiness readiness() const override;
    SocketRow row() const override;

private:
    struct Packet {
        Place from;
        Place to;
        std::vector<std::byte> bytes;
        std::uint32_t dropped_before = 0;  // of its receiver
    };

    bool is_connected() const { return peer_.host != 0; }
    // Port 0 of a peer stands for all of its ports.
    bool is_from_peer(const Place& place) const;
    // Connected by an IPv6 socket to an IPv4 address.
    bool is_mapped() const { return family() == Family::v6 && peer_.families == Place::kV4; }
    // IPv4 for an IPv6 socket.
    bool is_foreign(const IpEndpoint& ip) const { return family() == Family::v6 && ip.family == 4; }
    Outcome<Place> destination(const IpEndpoint& ip) const;
    Outcome<std::size_t> send_packet(const Place& to, Bytes bytes);
    static void deliver(Network& network, const std::weak_ptr<UdpSocket>& sender, Packet& packet);
    // Null: nobody.
    static UdpSocket* receiver_of(Network& network, const Packet& packet);
    int closeness(const Packet& packet) const;  // 0: not for this socket
    void enqueue(Packet& packet);

    std::deque<Packet> received_;
    std::size_t received_cost_ = 0;
    std::uint32_t dropped_ = 0;
};

}  // namespace berth::driver::sim
