// SPDX-License-Identifier: MIT
//
// DatagramLink: a connected socket that carries a connection whose messages are datagrams.
//
// Nothing is queued: what the kernel does not take is lost and counted, as UDP has it. A Unix
// socket is given a name of its own first, or nobody could answer it.
//
// Lifetime:  Link's.
// Threads:   the loop's.
// See:       udp(7), unix(7); docs/internals/datagrams.md.

#pragma once

#include "loop/events.hpp"
#include "loop/task.hpp"
#include "net/datagram_carrier.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstdint>

namespace berth::net {

class ConnectionCore;
class ConnectionTable;

class DatagramLink final : public DatagramCarrier, public loop::DatagramEvents, private loop::Task {
public:
    DatagramLink(ConnectionCore& connection, ConnectionTable& table);

    // Connects the connection's socket; ConnectionCore::open_datagrams follows, or an errno.
    int connect(const Endpoint& endpoint);
    // The same for one that is connected.
    int adopt(Scheme scheme);

    // DatagramCarrier
    int send(Bytes bytes) override;
    Scheme scheme() const override { return scheme_; }
    void pause() override;
    void resume() override;
    void close() override;
    const TimeLimits& limits() const override;

    // loop::DatagramEvents
    void on_datagrams(driver::ReceivedDatagrams datagrams) override;
    void on_datagram_error(int errno_value) override;
    void on_datagrams_end() override;

private:
    enum class State : std::uint8_t {
        idle,  // not armed
        receiving,
        pausing,  // disarming, to stay
        paused,
        closing,
        closed,
    };
    void later();
    void disarm();
    void run() override;
    void cancel() override { is_posted_ = false; }
    void arm();
    void end();

    ConnectionCore& connection_;
    ConnectionTable& table_;
    Scheme scheme_ = Scheme::udp;
    State state_ = State::idle;
    bool is_posted_ = false;
    bool is_begun_ = false;
    bool is_disarming_ = false;  // on_datagrams_end is due
    std::uint32_t dropped_ = 0;  // of DatagramSocket::counts, counted already
};

}  // namespace berth::net
