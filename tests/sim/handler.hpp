// SPDX-License-Identifier: MIT
//
// Handler: the user of an engine: does what each link's manners say, and checks what it is told.
//
// It holds the promises of handler.hpp, connection.hpp and engine.hpp against what it sees: the
// order of callbacks, one on_close per on_open, ids that are never used again, bytes in their
// order, bounds, and reasons that have a cause.
//
// Lifetime:  outlives its engine.

#pragma once

#include "sim/alarms.hpp"
#include "sim/calls.hpp"
#include "sim/findings.hpp"
#include "sim/links.hpp"
#include "sim/schedule.hpp"

#include <berth/connection.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>
#include <berth/in_flight.hpp>
#include <berth/report.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace berth::simulation {

// What one connection has been through.
struct Talk {
    Link* link = nullptr;
    Side side = kAcceptor;
    ConnectionId id;
    std::size_t listener = 0;
    std::size_t run = 0;
    std::size_t kept = 0;       // unread when the last callback returned
    std::uint64_t seen = 0;     // of what the other end sent by itself
    std::uint64_t arrived = 0;  // of that, when it was asked to drain
    bool paused = false;
    bool was_paused = false;  // by itself or by its output, at any time
    bool was_over_high = false;
    bool drained = false;
    Duration granted{};  // from on_drain to the deadline, as it was then
    Instant granted_at;
    bool was_cut = false;  // by a stop's deadline
    bool of_stop = false;  // closed when the engine was stopping
    InFlight work;
    bool works = false;  // it has that token
    bool has_worked = false;
    bool waits_for_harvest = false;
    bool in_trouble = false;  // its trouble has happened
    bool must_have_thrown = false;
    bool asked_to_close = false;
    bool overflowed = false;
    bool put_off = false;  // an answer waits for a task or a tick
    bool end_is_heard = false;
    bool closed = false;
    Instant last_activity;
    Instant opened_at;
};

// An attempt of EventLoop::connect.
struct Attempt {
    Deadline deadline;
    std::size_t bytes = 0;
    bool given_up = false;
    unsigned outcomes = 0;  // on_open or on_connect_failed
};

// What this run of the engine has shown so far.
struct Tally {
    std::uint64_t accepted = 0;  // and opened
    std::array<std::uint64_t, kCloseReasons> closed{};
    std::uint64_t thrown = 0;
};

class Handler final : public EventHandler {
public:
    struct World {
        Findings& findings;
        Inside& inside;
        Links& links;
        Calls& calls;
        const Schedule& schedule;
    };
    Handler(const World& world, const EnginePlan& plan, std::size_t number)
        : world_(world),
          plan_(plan),
          number_(number),
          alarms_(world.findings, world.inside, world.schedule.seed, number) {}

    void bind(Engine& engine) { engine_ = &engine; }
    // Before each start.
    void begin_run(bool is_first);
    void dial(EventLoop& loop, const Dial& plan, const Endpoint& endpoint);
    // A task posted to a connection from outside: writes so much, or throws.
    void outside_task(Connection& peer, const CallEngine& plan);

    const Tally& tally() const { return tally_; }
    const Alarms& alarms() const { return alarms_; }
    // Everybody sleeps, and so many are open: no more may be accepted before one goes.
    void is_full_at(std::size_t connections) { full_at_ = full_at_.value_or(connections); }
    bool was_shut_down() const { return shut_down_ > 0; }
    const std::map<std::uint64_t, Talk>& talks() const { return talks_; }
    // Of this run: those that ended after its stop had begun.
    std::vector<const Talk*> ended_by_stop() const;
    // A listener that is on its way out drains its connections for itself.
    void expect_closing(std::size_t listener) { closing_.insert(listener); }
    bool is_closing(std::size_t listener) const { return closing_.contains(listener); }
    std::size_t closed_listeners() const { return closed_listeners_; }
    bool is_closing_any() const { return !closing_.empty(); }
    // After on_shutdown.
    void check_end();
    // Called with the report, while still inside on_shutdown.
    void on_report(UniqueFunction<void(const StopReport&)> check) { check_ = std::move(check); }

    void on_boot(Engine& engine) override;
    void on_loop_start(EventLoop& loop) override;
    void on_loop_stop(EventLoop& loop) override;
    Action on_open(Connection& peer) override;
    void on_connect_failed(EventLoop& loop, ConnectionId id, const Error& error) override;
    Action on_traffic(Connection& peer) override;
    Action on_end(Connection& peer) override;
    void on_writable(Connection& peer) override;
    Action on_drain(Connection& peer, Deadline deadline) override;
    void on_close(Connection& peer, CloseReason reason) override;
    Duration on_tick(EventLoop& loop) override;
    void on_shutdown(const StopReport& report) override;
    void on_listener_closed(Engine& engine, const ListenerReport& report) override;

private:
    struct LoopState {
        bool started = false;
        bool stopped = false;
        std::uint64_t ticks = 0;
        std::vector<ConnectionId> put_off;  // to answer at the next tick
    };

    // What a callback begins with: who it is about, and whether it may be.
    Talk& enter(Connection& peer, const char* callback);
    // What it ends with.
    Action leave(Connection& peer, Talk& talk, Action action = Action::none);
    Talk& meet(Connection& peer);
    Link& link_of(Connection& peer, Side side);
    LoopState& state_of(EventLoop& loop, const char* callback);
    void check_limit(const Talk& talk);
    void check_unread(Connection& peer, Talk& talk);
    void check_arrived(Connection& peer, Talk& talk);
    void remember_arrived(Talk& talk);
    void check_harvest(const Talk& talk, CloseReason reason);
    void check_reason(const Connection& peer, const Talk& talk, CloseReason reason);
    bool was_given_up(const Talk& talk) const;
    // Is the engine, or the listener of this one, on its way out?
    bool may_be_drained(const Talk& talk) const;
    void check_work(const Talk& talk, CloseReason reason);
    void check_civil(const Talk& talk, CloseReason reason) const;
    void begin_work(Connection& peer, Talk& talk);
    void go_on_working(Talk& talk, std::size_t turns);
    bool has_cause(const Connection& peer, const Talk& talk, CloseReason reason) const;

    // One that throws is the last.
    bool ticks_go_on() const { return plan_.tick != kNever && plan_.failing_tick == 0; }

    // handler_manners.cpp
    void look(Connection& peer, Talk& talk);
    void answer(Connection& peer, Talk& talk);
    void echo(Connection& peer, Talk& talk, std::size_t most);
    void say(Connection& peer, Talk& talk, std::size_t count);
    void answer_later(Connection& peer, Talk& talk);
    void consume(Talk& talk, Bytes bytes);
    struct Before {
        bool open;
        std::size_t unsent;
    };
    void wrote(Connection& peer, Talk& talk, std::size_t count, const Before& before,
               WriteStatus status);
    Action misbehave(Connection& peer, Talk& talk, Moment moment);
    Action trouble(Connection& peer, Talk& talk);
    void request_stop(const Talk& talk);
    void close_later(Talk& talk);
    [[noreturn]] void fail(Connection* peer, Talk* talk);
    Calls::Target target(const Talk& talk) const {
        return {.engine = *engine_, .number = number_, .id = talk.id, .link = talk.link};
    }

    void violated(const char* name, const Talk& talk, const std::string& facts) const;
    template <class Text>
    void trace(Text&& text) const {
        world_.findings.trace(engine_->now(),
                              [&] { return "engine " + std::to_string(number_) + ": " + text(); });
    }

    World world_;
    const EnginePlan& plan_;
    std::size_t number_;
    Alarms alarms_;
    Engine* engine_ = nullptr;
    UniqueFunction<void(const StopReport&)> check_;
    std::map<std::uint64_t, Talk> talks_;  // of all runs: ids are never used again
    std::map<std::uint64_t, Attempt> attempts_;
    std::vector<LoopState> loops_;
    Tally tally_;
    std::optional<std::size_t> full_at_;
    std::set<std::size_t> closing_;  // listeners, in this run
    std::size_t closed_listeners_ = 0;
    bool is_first_run_ = true;
    std::size_t run_ = 0;
    bool booted_ = false;
    unsigned shut_down_ = 0;
};

}  // namespace berth::simulation
