// SPDX-License-Identifier: MIT
//
// DatagramLink: what carries a connection whose messages are datagrams: a connected socket.
//
// Each datagram is one on_traffic, each write one datagram. Nothing is queued: what the kernel does
// not take is lost and counted, as UDP has it. The connection has no room for any of this; its
// table keeps the links of the few that have one.
//
// Lifetime:  from the connection's beginning to the end of the batch in which it was reaped.
// Threads:   the loop's.
// See:       udp(7); docs/internals/datagrams.md.

#pragma once

#include "loop/events.hpp"
#include "loop/task.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstdint>

namespace berth::net {

class ConnectionCore;
class ConnectionTable;

class DatagramLink final : public loop::DatagramEvents, private loop::Task {
public:
    DatagramLink(ConnectionCore& connection, ConnectionTable& table);

    // Connects the connection's socket; ConnectionCore::open_datagrams follows, or an errno.
    int connect(const Endpoint& endpoint);
    // An errno, or 0: the kernel took it.
    int send(Bytes bytes);
    void pause();
    void resume();
    // Closes the socket; ConnectionCore::on_closed follows.
    void close();

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
    State state_ = State::idle;
    bool is_posted_ = false;
    bool is_begun_ = false;
    bool is_disarming_ = false;  // on_datagrams_end is due
    std::uint32_t dropped_ = 0;  // of DatagramSocket::dropped, counted already
};

}  // namespace berth::net
