// SPDX-License-Identifier: MIT
//
// TimeWait: what is left of a TCP connection whose socket is gone.
//
// It has no owner, holds the port against whoever does not reuse it, acknowledges what comes
// late, and goes after 60 s. It also waits for the FIN of a peer that nobody reads from any
// more: the FIN_WAIT2 of an orphan. Then data is answered by a reset.
//
// Lifetime:  the network's.
// See:       RFC 9293 and, for FIN_WAIT2, tcp_fin_timeout in tcp(7).

#pragma once

#include "driver/sim/agenda.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/port_table.hpp"
#include "driver/sim/segment.hpp"
#include "driver/socket_rows.hpp"

#include <berth/clock.hpp>

#include <chrono>
#include <cstdint>

namespace berth::driver::sim {

class TimeWait final : public PortOwner, public TcpEnd {
public:
    // How far the connection had counted.
    struct Numbers {
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        bool has_peer_ended = false;
        // How long it waits for the peer's FIN: TCP_LINGER2, or net.ipv4.tcp_fin_timeout.
        Duration fin_timeout = std::chrono::seconds{60};
    };

    // `socket` is the one that it comes after.
    TimeWait(Network& network, const PortOwner& socket, const Place& peer, const Numbers& numbers);
    ~TimeWait() override;

    void take(Segment& segment) override;
    bool is_over() const override { return numbers_.has_peer_ended; }
    bool is_left_over() const override { return true; }
    std::uint32_t uid() const override { return 0; }
    SocketRow row() const override;

private:
    void wait();
    void take_for_fin_wait_2(Segment& segment);
    void take_syn(Segment& segment);
    void acknowledge();
    void end();
    std::size_t& rows() const;

    Network& network_;
    Place peer_;
    Numbers numbers_;
    Timer timer_;
};

}  // namespace berth::driver::sim
