// SPDX-License-Identifier: MIT
//
// Dial: the addresses of a destination, tried side by side, and all over again.
//
// Its ConnectionCore is the dial for everybody else: it has the id, the deadline, the context, and
// its end is the dial's. Until one is connected it has no socket. Each attempt is a stream of its
// own; of the one that is connected first the connection gets a duplicate, as of one that travels
// (connection_travel.cpp), once the driver has let go of all the others:
//
//     resolving → racing → won → over            (the connection has its socket, and opens)
//         ↑          ↓
//         └─ pausing ┘     any → giving_up → over   (the connection reports why)
//
// The race may begin with what the resolver knows early; what it says later joins those that are
// not tried yet, and no round ends before the answer.
//
// Only where there may be several attempts: an address that is tried once is connected by its
// connection itself.
//
// Lifetime:  from the dial to the opening or the report of its connection; the table owns it. What
//            ends it is done at the end of the batch, never from inside one of its calls.
// Threads:   the loop's.
// See:       RFC 8305, 3 to 5, docs/internals/connection.md#a-dial

#pragma once

#include "loop/events.hpp"
#include "loop/timer_wheel.hpp"
#include "net/back_off.hpp"
#include "net/dial_failures.hpp"

#include <berth/clock.hpp>
#include <berth/destination.hpp>
#include <berth/dial.hpp>
#include <berth/endpoint.hpp>
#include <berth/resolver.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace berth::net {

class ConnectionCore;
class ConnectionTable;

// What of DialOptions it needs.
struct DialPlan {
    Deadline deadline;
    std::optional<Endpoint> local;
    std::size_t descriptors_max = 0;
    Duration attempt_delay;
    DialRetry retry;
};

class Dial final : public loop::Timed {
public:
    Dial(ConnectionTable& table, ConnectionCore& connection, Destination to, DialPlan plan);
    ~Dial() override;

    void begin();
    void resolved(Result<ResolvedName>&& answer);
    void resolved_early(const ResolvedName& known);
    // Ends all attempts; the connection reports when the driver has let go of the last one.
    void give_up();
    // The driver is broken: ends them without its help.
    void abandon();

    bool has_won() const { return phase_ == Phase::won; }
    bool is_over() const { return phase_ == Phase::over; }
    // After has_won(): the socket is the caller's, and the dial over.
    struct Winner {
        driver::Descriptor socket = driver::Descriptor::none;
        Endpoint peer;
        std::size_t descriptors_max = 0;
    };
    Winner take_winner();
    // After give_up(): over.
    void end() { phase_ = Phase::over; }

    Error error(int errno_value) const { return failures_.error(to_, errno_value); }

private:
    enum class Phase : std::uint8_t { resolving, racing, pausing, won, giving_up, over };

    // One socket, on its way to one address. Used again once it is closed.
    class Attempt final : public loop::StreamEvents {
    public:
        explicit Attempt(Dial& owner) : dial(owner) {}

        void on_connected(int errno_value) override { dial.connected(*this, errno_value); }
        void on_closed() override { dial.closed(*this); }
        void on_received(Bytes) override {}
        void on_receive_end(int) override {}
        void on_sent(driver::Sent) override {}
        void on_unsent(driver::Slices, int) override {}

        Dial& dial;
        Endpoint to;
        enum class State : std::uint8_t { free, connecting, closing } state = State::free;

    private:
        void on_due() override {}
    };

    void on_due() override;
    void begin_round();
    void ask(AddressFamily family);
    void stop_asking();
    void learn(std::span<const IpEndpoint> known);
    void race();
    void start_next();
    int start(const Endpoint& to);
    int connect_at_once(driver::Descriptor socket, const Endpoint& to);
    Attempt& free_attempt();
    void connected(Attempt& attempt, int errno_value);
    void closed(Attempt& attempt);
    void close(Attempt& attempt);
    void close_all();
    void win(driver::Descriptor socket, const Endpoint& to);
    void end_round();
    void settle_when_closed();
    void drop_winner();

    ConnectionTable& table_;
    ConnectionCore& connection_;
    Destination to_;
    DialPlan plan_;
    Phase phase_ = Phase::resolving;
    BackOff back_off_;
    DialFailures failures_;
    bool is_asking_ = false;                           // the resolver's answer is to come
    std::stop_source nobody_waits_{std::nostopstate};  // for it
    std::vector<Endpoint> addresses_;
    std::size_t next_ = 0;  // of addresses_
    std::vector<std::unique_ptr<Attempt>> attempts_;
    std::size_t connecting_ = 0;
    std::size_t unclosed_ = 0;  // connecting or closing
    Winner winner_;
    bool is_settling_ = false;  // in the table's list
};

// Is there a value out of range?
Result<void> check_dial(const DialOptions& options);

}  // namespace berth::net
