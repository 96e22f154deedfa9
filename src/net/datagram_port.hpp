// SPDX-License-Identifier: MIT
//
// DatagramPort: one datagram socket of a listener, on one loop.
//
// What arrived together is one batch: a callback for each, then the replies of all of them in one
// system call. What is sent outside a batch leaves before the loop sleeps. A refusal costs that
// datagram and is counted; nothing that a peer does, and no lack of anything, ends the port.
//
// It closes as it should: newcomers are dropped by a filter, what the kernel has is delivered,
// then the descriptor goes.
//
// Lifetime:  from start() to closed() the driver may hold it: it does not move.
// Threads:   the loop's.
// See:       udp(7); docs/internals/datagrams.md.

#pragma once

#include "loop/events.hpp"
#include "loop/task.hpp"
#include "net/acceptor.hpp"
#include "net/connection_table.hpp"
#include "net/datagram_outbox.hpp"
#include "net/entrance.hpp"

#include <berth/bytes.hpp>
#include <berth/datagram.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>

namespace berth::net {

class DatagramPort;

// Who has the ports of a loop.
class DatagramOwner {
public:
    // It is suspended now, or resumed, or closed.
    virtual void port_changed(const DatagramPort& port) = 0;
    // Datagrams of that listener have been received.
    virtual void datagrams_received(std::size_t listener, std::size_t count) = 0;

protected:
    ~DatagramOwner() = default;
};

// What the ports of a loop share.
struct DatagramSetup {
    ConnectionTable& table;
    DatagramOwner& owner;
    const Entrance* entrance;  // of the address of the port to be made
};

class DatagramPort final : public loop::DatagramEvents, private loop::Task {
public:
    DatagramPort(const DatagramSetup& setup, driver::Descriptor socket, std::size_t listener);
    ~DatagramPort();

    void start();
    // Stops receiving and keeps the socket: what comes waits in the kernel, as far as there is
    // room. Then DatagramOwner::port_changed.
    void suspend();
    void resume();
    bool is_suspended() const { return state_ == State::suspended; }
    // Delivers what has come, and closes; then DatagramOwner::port_changed. With `forced`, or if
    // the queue is another's, too, at once.
    void close(ListenerEnd end);
    bool is_closed() const { return state_ == State::closed; }
    std::size_t listener() const { return listener_; }
    const Endpoint& endpoint() const;

    // Queues, and sends before the loop sleeps. `from` as OutgoingDatagram has it. False: closed,
    // or more than a datagram can carry.
    bool send(const IpEndpoint& to, const IpEndpoint& from, Bytes bytes);

    // loop::DatagramEvents
    void on_datagrams(driver::ReceivedDatagrams datagrams) override;
    void on_datagram_error(int errno_value) override;
    void on_datagrams_end() override;

private:
    enum class State : std::uint8_t {
        idle,  // not armed
        receiving,
        suspending,  // disarming, to stay
        suspended,
        finishing,  // delivering what the kernel has, to close
        closing,    // disarming, to close
        closed,
    };
    // loop::Task: what was queued outside a batch.
    void run() override;
    void cancel() override { is_posted_ = false; }

    bool is_handed_over(ListenerEnd end) const;
    bool is_lent(Bytes bytes) const;
    void flush();
    void finish();
    void end();

    ConnectionTable& table_;
    DatagramOwner& owner_;
    const Entrance* entrance_;
    std::size_t listener_;
    State state_ = State::idle;
    bool is_disarming_ = false;  // the driver's last completion is not to be the last
    bool is_in_batch_ = false;
    bool is_posted_ = false;
    Bytes lent_;                 // the payload of the datagram whose callback runs
    std::uint32_t dropped_ = 0;  // of DatagramSocket::dropped, counted already
    DatagramOutbox outbox_;
};

// What the callback sees.
class DatagramInHand final : public Datagram {
public:
    DatagramInHand(DatagramPort& port, ConnectionTable& table,
                   const driver::ReceivedDatagram& received)
        : port_(port), table_(table), received_(received) {}

    DatagramPort& port() const { return port_; }
    ConnectionTable& table() const { return table_; }
    const driver::ReceivedDatagram& received() const { return received_; }

private:
    DatagramPort& port_;
    ConnectionTable& table_;
    const driver::ReceivedDatagram& received_;
};

}  // namespace berth::net
