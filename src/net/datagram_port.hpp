// SPDX-License-Identifier: MIT
//
// DatagramPort: one datagram socket of a listener, on one loop.
//
// What arrived together is one batch: a callback for each, then the replies of all of them in one
// system call. What is sent outside a batch leaves before the loop sleeps. A refusal costs that
// datagram and is counted; nothing that a peer does, and no lack of anything, ends the port.
//
// It closes as it should: newcomers are dropped by a filter, what the kernel has is delivered,
// then the descriptor goes. One with sessions (datagram_session.hpp) lets nobody begin any more,
// and closes after the last of them.
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
#include "net/datagram_session.hpp"
#include "net/entrance.hpp"

#include <berth/bytes.hpp>
#include <berth/datagram.hpp>
#include <berth/datagram_options.hpp>
#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace berth::net {

class DatagramPort;

// Who has the ports of a loop.
class DatagramOwner {
public:
    // It is suspended now, or resumed, or closed.
    virtual void port_changed(const DatagramPort& port) = 0;
    // Datagrams of that listener have been received.
    virtual void datagrams_received(std::size_t listener, std::size_t count) = 0;
    // May a peer begin a session? If so, it holds a place: Host::session_left gives it back.
    virtual bool admits_session(std::size_t listener, const IpEndpoint& peer) = 0;

protected:
    ~DatagramOwner() = default;
};

// What the ports of a loop share.
struct DatagramSetup {
    ConnectionTable& table;
    DatagramOwner& owner;
    const Entrance* entrance;  // of the address of the port to be made
    const DatagramOptions& options;
    // Of the sockets of its listener, the one that hears what is sent to many: the kernel gives
    // that to each of them.
    bool hears_many = true;
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
    // the queue is another's, too, at once. Where there are sessions, it is quiet, and closes after
    // the last of them; but not if it is forced to.
    void close(ListenerEnd end);
    bool is_closed() const { return state_ == State::closed; }
    // Nobody begins anything here any more.
    bool is_quiet() const {
        return state_ == State::outliving || state_ == State::mute || is_closed();
    }
    std::size_t listener() const { return listener_; }
    const Endpoint& endpoint() const;

    // Queues, and sends before the loop sleeps. `from` as OutgoingDatagram has it. False: closed,
    // or more than a datagram can carry.
    bool send(const IpEndpoint& to, const IpEndpoint& from, Bytes bytes) {
        return send({.bytes = bytes, .to = to, .from = from});
    }
    // The same, to whom has that name: of a Unix socket.
    bool send_named(std::string_view to, Bytes bytes) {
        return send({.bytes = bytes, .to = {}, .from = {}, .to_name = to});
    }
    // Is that an address that this port may send to?
    bool reaches(const Endpoint& to) const;
    // To an address that it reaches.
    bool send_to(const Endpoint& to, Bytes bytes);
    void flush();

    Result<void> join(const MulticastGroup& group);
    Result<void> leave(const MulticastGroup& group);

    // ── For its sessions ─────────────────────────────────────────────────────────────────────
    bool admits_session(const IpEndpoint& peer) { return owner_.admits_session(listener_, peer); }
    void last_session_left();

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
        outliving,  // receiving for its sessions, to close after the last of them
        mute,       // the same, but it only sends: what comes is another's
        closing,    // disarming, to close
        closed,
    };
    // loop::Task: what was queued outside a batch.
    void run() override;
    void cancel() override { is_posted_ = false; }

    bool send(driver::OutgoingDatagram datagram);
    bool is_handed_over(ListenerEnd end) const;
    bool is_lent(Bytes bytes) const;
    bool arm() { return table_.driver().start_receive_datagrams(*this).has_value(); }
    void disarm();
    void deliver(const driver::ReceivedDatagram& datagram);
    void outlive(bool is_handed_over);
    void finish();
    void end();

    ConnectionTable& table_;
    DatagramOwner& owner_;
    const Entrance* entrance_;
    std::size_t listener_;
    bool hears_many_;
    State state_ = State::idle;
    bool is_disarming_ = false;  // the driver's last completion is not to be the last
    bool is_in_batch_ = false;
    bool is_posted_ = false;
    Bytes lent_;                      // the payload of the datagram whose callback runs
    driver::DatagramCounts counted_;  // of DatagramSocket::counts, already
    DatagramOutbox outbox_;
    std::optional<DatagramSessions> sessions_;
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
