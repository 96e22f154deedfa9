// SPDX-License-Identifier: MIT
//
// Handler: the order of things, and whether what it is told can be true.

#include "sim/handler.hpp"

#include <stdexcept>
#include <string>

namespace berth::simulation {

namespace {

// In the user's context of each connection: lives from on_open to just after on_close.
struct Token {
    Findings& findings;
    const Talk& talk;
    ~Token() {
        if (!talk.closed) {
            findings.violated("context-destroyed-early", "before on_close of " + talk.link->name());
        }
    }
};

std::string text(ConnectionId id) { return std::to_string(id.value()); }

}  // namespace

void Handler::violated(const char* name, const Talk& talk, const std::string& facts) const {
    world_.findings.violated(
        name, "engine " + std::to_string(number_) + ", connection " + text(talk.id) + ", " +
                  (talk.link != nullptr ? talk.link->name() : "no link") + ": " + facts);
}

// ── The run ──────────────────────────────────────────────────────────────────────────────────

void Handler::begin_run(bool is_first) {
    is_first_run_ = is_first;
    ++run_;
    alarms_.begin_run();
    closing_.clear();
    closed_listeners_ = 0;
    loops_.clear();
    attempts_.clear();
    full_at_.reset();
    tally_ = {};
    booted_ = false;
    shut_down_ = 0;
}

void Handler::on_boot(Engine& engine) {
    const Inside::Visit visit(world_.inside, "on_boot");
    if (booted_) world_.findings.violated("booted-twice", "");
    booted_ = true;
    loops_.resize(engine.loop_count());
    if (!is_first_run_) return;
    if (plan_.boot == Boot::throws) throw std::runtime_error("on_boot, as planned");
    if (plan_.boot == Boot::stops) engine.request_stop();
}

Handler::LoopState& Handler::state_of(EventLoop& loop, const char* callback) {
    static LoopState nobody;
    if (shut_down_ > 0) world_.findings.violated("callback-after-shutdown", callback);
    if (loop.index() >= loops_.size()) {
        world_.findings.violated("callback-before-boot", callback);
        return nobody;
    }
    LoopState& state = loops_[loop.index()];
    if (!state.started || state.stopped) {
        world_.findings.violated("callback-out-of-order",
                                 std::string(callback) + " on a loop that does not run");
    }
    return state;
}

void Handler::on_loop_start(EventLoop& loop) {
    const Inside::Visit visit(world_.inside, "on_loop_start");
    if (loop.index() < loops_.size() && !loops_[loop.index()].started) {
        loops_[loop.index()].started = true;
    } else {
        world_.findings.violated("callback-out-of-order", "on_loop_start");
    }
    alarms_.loop_started(loop);
    if (plan_.fails_in_loop_start) fail(nullptr, nullptr);
}

void Handler::on_loop_stop(EventLoop& loop) {
    const Inside::Visit visit(world_.inside, "on_loop_stop");
    state_of(loop, "on_loop_stop").stopped = true;
    alarms_.loop_stopped(loop);
    for (const auto& [id, talk] : talks_) {
        if (talk.id.loop() == loop.index() && !talk.closed) {
            violated("never-closed", talk, "its loop has stopped");
        }
    }
    // Too late: the loop takes it, and cancels it.
    for (const auto& [id, talk] : talks_) {
        if (talk.id.loop() == loop.index()) world_.calls.post(target(talk), [](Connection&) {});
    }
}

Duration Handler::on_tick(EventLoop& loop) {
    const Inside::Visit visit(world_.inside, "on_tick");
    LoopState& state = state_of(loop, "on_tick");
    for (const ConnectionId id : std::exchange(state.put_off, {})) {
        Connection* peer = loop.find(id);
        if (peer == nullptr) continue;
        Talk& talk = talks_.at(id.value());
        talk.put_off = false;
        echo(*peer, talk, Connection::kAll);
        talk.kept = peer->unread();
    }
    ++state.ticks;
    if (plan_.failing_tick != 0 && state.ticks % plan_.failing_tick == 0) fail(nullptr, nullptr);
    return plan_.tick;
}

void Handler::on_shutdown(const StopReport& report) {
    const Inside::Visit visit(world_.inside, "on_shutdown");
    if (++shut_down_ > 1) world_.findings.violated("shut-down-twice", "");
    trace([&] { return report.to_string(); });
    for (const LoopState& state : loops_) {
        if (state.started && !state.stopped) {
            world_.findings.violated("callback-out-of-order", "on_shutdown before on_loop_stop");
        }
    }
    alarms_.check_dropped(report.tasks.timers_dropped);
    if (check_) check_(report);
    if (plan_.fails_in_shutdown) throw std::runtime_error("on_shutdown, as planned");
}

void Handler::on_listener_closed(Engine&, const ListenerReport& report) {
    const Inside::Visit visit(world_.inside, "on_listener_closed");
    trace([&] { return "closed " + report.endpoint.to_string(); });
    if (shut_down_ > 0) world_.findings.violated("callback-after-shutdown", "on_listener_closed");
    if (++closed_listeners_ > closing_.size()) {
        world_.findings.violated("listener-closed-twice", report.endpoint.to_string());
    }
}

std::vector<const Talk*> Handler::ended_by_stop() const {
    std::vector<const Talk*> ended;
    for (const auto& [id, talk] : talks_) {
        if (talk.run == run_ && talk.of_stop) ended.push_back(&talk);
    }
    return ended;
}

void Handler::check_end() {
    for (const auto& [id, talk] : talks_) {
        if (!talk.closed) violated("never-closed", talk, "the engine has stopped");
    }
    for (const auto& [id, attempt] : attempts_) {
        if (attempt.outcomes == 1) continue;
        world_.findings.violated("attempt-without-outcome",
                                 "connect " + std::to_string(id) + " had " +
                                     std::to_string(attempt.outcomes) + " outcomes");
    }
}

// ── Connections ──────────────────────────────────────────────────────────────────────────────

Link& Handler::link_of(Connection& peer, Side side) {
    const Endpoint dialer = side == kAcceptor ? peer.peer_endpoint() : peer.local_endpoint();
    const bool is_named = !dialer.is_unix() || !dialer.name().empty();
    if (is_named) return world_.links.of(dialer.to_string());
    Link& link = world_.links.begin("unnamed", {});
    link.doubtful = true;
    return link;
}

Talk& Handler::meet(Connection& peer) {
    const auto [place, is_new] = talks_.try_emplace(peer.id().value());
    Talk& talk = place->second;
    if (!is_new) violated("id-used-again", talk, "on_open");
    talk.id = peer.id();
    talk.run = run_;
    talk.listener = peer.listener_index();
    talk.side = peer.listener_index() == Connection::kNoListener ? kDialer : kAcceptor;
    talk.link = &link_of(peer, talk.side);
    if (talk.side == kAcceptor) {
        talk.link->id = talk.id;
        talk.link->engine = number_;
    }
    if (peer.id().loop() != peer.loop().index()) violated("wrong-loop", talk, "on_open");
    return talk;
}

Talk& Handler::enter(Connection& peer, const char* callback) {
    static_cast<void>(state_of(peer.loop(), callback));
    const auto found = talks_.find(peer.id().value());
    if (found == talks_.end()) {
        world_.findings.violated("callback-before-open", callback);
        return meet(peer);
    }
    Talk& talk = found->second;
    if (talk.closed) violated("callback-after-close", talk, callback);
    if (peer.is_open()) check_unread(peer, talk);
    talk.last_activity = talk.link->last_activity = peer.loop().now();
    trace([&] {
        return std::string(callback) + " of " + talk.link->name() + " (connection " +
               text(talk.id) + "), unread " + std::to_string(peer.unread()) + ", unsent " +
               std::to_string(peer.unsent());
    });
    return talk;
}

Action Handler::leave(Connection& peer, Talk& talk, Action action) {
    talk.kept = peer.unread();
    // Past it only by what came back from the kernel.
    if (peer.unsent() > plan_.options.output_max + 2 * driver::kSoonMax) {
        violated("output-max-ignored", talk, std::to_string(peer.unsent()) + " bytes are unsent");
    }
    if (action == Action::close) talk.asked_to_close = true;
    return action;
}

Action Handler::on_open(Connection& peer) {
    const Inside::Visit visit(world_.inside, "on_open");
    meet(peer);
    Talk& talk = enter(peer, "on_open");
    peer.emplace_context<Token>(world_.findings, talk);
    talk.opened_at = peer.loop().now();
    alarms_.opened(peer);
    if (talk.side == kDialer) {
        Attempt& attempt = attempts_[talk.id.value()];
        if (++attempt.outcomes > 1) violated("attempt-without-outcome", talk, "opened again");
        say(peer, talk, attempt.bytes);
    } else {
        ++tally_.accepted;
        check_limit(talk);
        say(peer, talk, talk.link->manners.greeting);
    }
    return leave(peer, talk, misbehave(peer, talk, Moment::open));
}

Action Handler::on_traffic(Connection& peer) {
    const Inside::Visit visit(world_.inside, "on_traffic");
    Talk& talk = enter(peer, "on_traffic");
    if (talk.paused) violated("traffic-while-paused", talk, "on_traffic");
    check_arrived(peer, talk);
    look(peer, talk);
    begin_work(peer, talk);
    answer(peer, talk);
    return leave(peer, talk, misbehave(peer, talk, Moment::traffic));
}

Action Handler::on_end(Connection& peer) {
    const Inside::Visit visit(world_.inside, "on_end");
    Talk& talk = enter(peer, "on_end");
    if (talk.end_is_heard) violated("ended-twice", talk, "on_end");
    talk.end_is_heard = true;
    look(peer, talk);
    world_.links.heard_end(*talk.link, talk.side, peer.unread());
    const Action action = misbehave(peer, talk, Moment::end);
    if (action != Action::none || !peer.is_open()) return leave(peer, talk, action);
    if (talk.link->manners.at_end == AtEnd::close) return leave(peer, talk, Action::close);
    if (talk.link->manners.at_end == AtEnd::keep_and_close_later) close_later(talk);
    return leave(peer, talk);
}

void Handler::on_writable(Connection& peer) {
    const Inside::Visit visit(world_.inside, "on_writable");
    Talk& talk = enter(peer, "on_writable");
    // No write need have said so: what was on its way to the kernel can come back.
    const auto& sent = talk.link->ends[talk.side].sent;
    const bool may_be =
        talk.was_over_high || sent[kOutside] > 0 || sent[kOwn] > plan_.options.output_high;
    if (!may_be) violated("writable-from-nowhere", talk, "it was never above output_high");
    talk.was_over_high = peer.unsent() > plan_.options.output_low;
    static_cast<void>(leave(peer, talk, misbehave(peer, talk, Moment::writable)));
}

Action Handler::on_drain(Connection& peer, Deadline deadline) {
    const Inside::Visit visit(world_.inside, "on_drain");
    Talk& talk = enter(peer, "on_drain");
    if (talk.drained) violated("drained-twice", talk, "on_drain");
    remember_arrived(talk);
    talk.granted_at = peer.loop().now();
    talk.granted = deadline - talk.granted_at;
    if (!may_be_drained(talk)) violated("drained-early", talk, "on_drain");
    if (deadline.is_never()) violated("drained-without-deadline", talk, "on_drain");
    const Action action = misbehave(peer, talk, Moment::drain);
    if (action != Action::none) return leave(peer, talk, action);
    if (talk.link->manners.at_drain == AtDrain::close) {
        talk.paused = false;  // what has arrived is read before the FIN
        talk.waits_for_harvest = peer.is_open();
        return leave(peer, talk, Action::close);
    }
    if (talk.link->manners.at_drain == AtDrain::keep_and_close_later) close_later(talk);
    return leave(peer, talk);
}

void Handler::on_close(Connection& peer, CloseReason reason) {
    const Inside::Visit visit(world_.inside, "on_close");
    const Instant last_activity = talks_[peer.id().value()].last_activity;
    Talk& talk = enter(peer, "on_close");
    talk.last_activity = last_activity;
    talk.closed = true;
    alarms_.closed(talk.id);
    const EngineState state = engine_->state();
    talk.of_stop = state >= EngineState::quiescing ||
                   (state == EngineState::lame_duck && talk.drained);  // with its listener
    talk.was_cut = reason == CloseReason::stop_forced;
    check_work(talk, reason);
    check_civil(talk, reason);
    talk.work.release();
    talk.link->ends[talk.side].gone = true;
    // A peer that went on sending was not waited for.
    if (peer.unsent() > 0 && plan_.options.linger_bytes_max == 0) {
        talk.link->ends[talk.side].cut = true;
    }
    if (talk.side == kAcceptor) talk.link->reason = reason;
    ++tally_.closed[static_cast<std::size_t>(reason)];
    full_at_.reset();
    trace([&] { return talk.link->name() + " closed: " + std::string(to_string(reason)); });
    if (peer.context<Token>() == nullptr) violated("context-lost", talk, "on_close");
    if (peer.is_open()) violated("open-after-close", talk, "on_close");
    if (peer.write("x") != WriteStatus::refused) violated("written-after-close", talk, "on_close");
    check_reason(peer, talk, reason);
    check_harvest(talk, reason);
    static_cast<void>(misbehave(peer, talk, Moment::close));
}

void Handler::on_connect_failed(EventLoop& loop, ConnectionId id, const Error& error) {
    const Inside::Visit visit(world_.inside, "on_connect_failed");
    static_cast<void>(state_of(loop, "on_connect_failed"));
    full_at_.reset();
    trace([&] { return "connect " + text(id) + " failed: " + error.to_string(); });
    const auto found = attempts_.find(id.value());
    if (found == attempts_.end() || ++found->second.outcomes > 1) {
        world_.findings.violated("attempt-without-outcome",
                                 "connect " + text(id) + " failed again");
    }
    if (loop.find(id) != nullptr) {
        world_.findings.violated("callback-before-open", "a failed connect can be found");
    }
}

}  // namespace berth::simulation
