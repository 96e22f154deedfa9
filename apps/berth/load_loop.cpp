// SPDX-License-Identifier: MIT
//
// LoadLoop: ramp, conversation, schedule, goodbye.

#include "load_loop.hpp"

#include "load.hpp"
#include "load_result.hpp"

#include <berth/clock.hpp>
#include <berth/connection.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>
#include <berth/result.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace berth::app {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kAttemptsMax = 64;  // at a time: a server's backlog is not endless
constexpr Duration kConnectTimeout = std::chrono::seconds{5};
constexpr Duration kReplaceAfter = milliseconds{100};
constexpr Duration kScheduleTick = milliseconds{1};  // how late a due request may be sent

Ending ending_of_attempt(const Error& error) {
    switch (error.errno_value()) {
        case ETIMEDOUT: return Ending::timed_out;
        case ECONNRESET: return Ending::reset;
        default: return Ending::refused;
    }
}

// Of a connection whose conversation did not say how it ended.
Ending ending_of_close(CloseReason reason) {
    const bool was_lost = reason == CloseReason::peer_reset || reason == CloseReason::io_error;
    return was_lost ? Ending::reset : Ending::timed_out;
}

// An interval that gives this loop's share of the connections its share of the rate.
Duration interval_for(const LoadSettings& settings, std::size_t connections) {
    if (!settings.rate || connections == 0) return Duration{0};
    const double share =
        static_cast<double>(connections) / static_cast<double>(settings.connections);
    const double nanoseconds = 1e9 / (static_cast<double>(*settings.rate) * share);
    return Duration{std::max<std::int64_t>(1, static_cast<std::int64_t>(nanoseconds))};
}

}  // namespace

LoadLoop::LoadLoop(LoadPlan& plan, std::size_t connections)
    : plan_(plan),
      to_settle_(connections),
      to_connect_(connections),
      interval_(interval_for(plan.settings, connections)) {}

void LoadLoop::start(EventLoop& loop) {
    loop_ = &loop;
    started_at_ = now();
}

Instant LoadLoop::now() const { return loop_->engine().now(); }

bool LoadLoop::is_stopping() const { return loop_->engine().state() > EngineState::ready; }

// ── Connecting ───────────────────────────────────────────────────────────────────────────────

Duration LoadLoop::tick() {
    backlog_is_full_ = false;
    while (!replace_at_.empty() && replace_at_.front() <= now()) {
        replace_at_.pop_front();
        ++to_connect_;
    }
    connect_more();
    const bool ramp_is_over = plan_.unsettled == 0 || now() - started_at_ > kConnectTimeout;
    if (!began_at_ && ramp_is_over) begin_asking();
    const bool is_warm = began_at_ && now() - *began_at_ >= plan_.settings.warm_up;
    if (!counted_from_ && is_warm) begin_counting();
    if (interval_ == Duration{0}) return LoadSettings::kTick;
    send_what_is_due();
    return kScheduleTick;
}

// Connections that are already busy would slow down those that are still to be made, and waiting
// for a connection would be measured as waiting for an answer.
void LoadLoop::begin_asking() {
    began_at_ = now();
    if (interval_ > Duration{0}) next_due_ = began_at_;
    loop_->for_each([this](Connection& peer) {
        if (auto* session = peer.context<Session>()) ask_or_drain(peer, *session);
    });
}

// What was asked before and is answered from now on, counts.
void LoadLoop::begin_counting() {
    counted_from_ = now();
    tally_.requests = 0;
    tally_.latencies = {};
}

void LoadLoop::settle_attempt() {
    if (to_settle_ == 0) return;
    --to_settle_;
    --plan_.unsettled;
}

void LoadLoop::connect_more() {
    while (to_connect_ > 0 && attempts_ < kAttemptsMax && !backlog_is_full_ && !is_stopping()) {
        --to_connect_;
        const auto attempt = loop_->connect(plan_.settings.to, now() + kConnectTimeout);
        if (attempt) {
            ++attempts_;
        } else {
            lose_attempt(attempt.error());
        }
    }
}

void LoadLoop::connect_failed(const Error& error) {
    --attempts_;
    lose_attempt(error);
    connect_more();
}

void LoadLoop::lose_attempt(const Error& error) {
    // A Unix listener whose backlog is full says so at once (connect(2)); TCP would have waited.
    if (error.errno_value() == EAGAIN) backlog_is_full_ = true;
    if (error.errno_value() == EAGAIN || is_stopping()) {
        ++to_connect_;
        return;
    }
    settle_attempt();
    if (tally_.first_problem.empty()) tally_.first_problem = error.to_string();
    end_connection(ending_of_attempt(error), kReplaceAfter);
}

void LoadLoop::end_connection(Ending ending, Duration replace_after) {
    ++tally_.ended(ending);
    if (plan_.settings.reconnect && ending != Ending::corrupt && !is_stopping()) {
        if (replace_after > Duration{0}) {
            replace_at_.push_back(now() + replace_after);
        } else {
            ++to_connect_;
            connect_more();
        }
    } else if (plan_.going_on.fetch_sub(1) == 1) {
        loop_->engine().request_stop();
    }
}

// ── Asking and hearing ───────────────────────────────────────────────────────────────────────

void LoadLoop::opened(Connection& peer) {
    --attempts_;
    settle_attempt();
    set_open(open() + 1);
    const std::uint64_t ordinal = plan_.next_ordinal.fetch_add(1);
    auto& session = peer.emplace_context<Session>(
        Session{.talk = Conversation(plan_.pattern, ordinal, plan_.settings.shape), .ending = {}});
    ask_or_drain(peer, session);
    connect_more();
}

bool LoadLoop::is_through(const Session& session) const {
    return plan_.settings.requests && session.talk.asked() >= *plan_.settings.requests;
}

bool LoadLoop::may_ask(const Session& session) const {
    return session.talk.may_ask() && !is_through(session);
}

void LoadLoop::ask_or_drain(Connection& peer, Session& session) {
    if (is_stopping()) return drain(peer);
    if (!began_at_) return;
    if (is_through(session) && session.talk.unanswered() == 0) {
        session.said_goodbye = true;
        return peer.end();
    }
    if (interval_ > Duration{0}) return wait_in_line(peer, session);
    const Instant asked_at = now();
    while (may_ask(session) && ask(peer, session, asked_at)) continue;
}

// False: no packet can be so long, and so there is nothing that this connection could ask.
bool LoadLoop::ask(Connection& peer, Session& session, Instant intended) {
    if (peer.write(session.talk.ask(intended)) != WriteStatus::too_long) return true;
    if (tally_.first_problem.empty()) {
        tally_.first_problem = fmt::format(
            "a packet of {} bytes is longer than the send buffer of its socket; lower --size, or "
            "raise net.core.wmem_default",
            plan_.settings.shape.size);
    }
    session.ending = Ending::refused;
    peer.close(CloseMode::reset);
    return false;
}

void LoadLoop::wait_in_line(Connection& peer, Session& session) {
    if (session.is_waiting || !may_ask(session)) return;
    session.is_waiting = true;
    in_line_.push_back(peer.id());
    send_what_is_due();
}

// Takes who has waited longest; while nobody is free, what is due stays due and grows older.
void LoadLoop::send_what_is_due() {
    while (next_due_ && *next_due_ <= now() && !in_line_.empty() && !is_stopping()) {
        Connection* const peer = loop_->find(in_line_.front());
        in_line_.pop_front();
        if (peer == nullptr || !peer->is_open()) continue;
        auto& session = *peer->context<Session>();
        if (!ask(*peer, session, *next_due_)) continue;
        *next_due_ = *next_due_ + interval_;
        session.is_waiting = may_ask(session);
        if (session.is_waiting) in_line_.push_back(peer->id());
    }
}

void LoadLoop::received(Connection& peer) {
    auto& session = *peer.context<Session>();
    const std::uint64_t answered_before = session.talk.answered();
    const Instant heard_at = now();
    const bool is_whole =
        !plan_.settings.is_over_packets() || peer.unread() == plan_.settings.shape.size;
    if (!is_whole || !session.talk.hear(peer.peek(), heard_at, tally_.latencies)) {
        session.ending = Ending::corrupt;
        peer.close(CloseMode::reset);
        return;
    }
    peer.discard();

    const std::uint64_t answers = session.talk.answered() - answered_before;
    if (answers == 0) return;
    tally_.requests += answers;
    tally_.last_answer = heard_at;
    answered_.store(answered() + answers, std::memory_order_relaxed);
    ask_or_drain(peer, session);
}

// ── Goodbye ──────────────────────────────────────────────────────────────────────────────────

// Asks no more; says goodbye when the last answer is there, and hears the peer's own.
void LoadLoop::drain(Connection& peer) {
    if (!stopped_at_) stopped_at_ = now();
    if (peer.context<Session>()->talk.unanswered() == 0) peer.end();
}

void LoadLoop::peer_ended(Connection& peer) {
    auto& session = *peer.context<Session>();
    if (session.ending) return;
    const bool owes_answers = session.talk.unanswered() > 0;
    session.ending = session.talk.is_inside_answer() ? Ending::cut_short
                     : owes_answers                  ? Ending::closed
                                                     : Ending::clean;
}

void LoadLoop::closed(Connection& peer, CloseReason reason) {
    set_open(open() - 1);
    const auto& session = *peer.context<Session>();
    tally_.unanswered += session.talk.unanswered();
    end_connection(session.ending.value_or(ending_of_close(reason)),
                   session.said_goodbye ? Duration{0} : kReplaceAfter);
}

Tally LoadLoop::final_tally(bool is_interrupted) const {
    Tally tally = tally_;
    if (!counted_from_) {
        tally.requests = 0;
        tally.latencies = {};
    }
    if (!is_interrupted) tally.ended(Ending::timed_out) += to_settle_;
    // What fell due in the last moment would have been sent at the next tick.
    if (next_due_ && stopped_at_ && *stopped_at_ - LoadSettings::kTick > *next_due_) {
        tally.not_sent = static_cast<std::uint64_t>((*stopped_at_ - *next_due_) / interval_) + 1;
    }
    return tally;
}

}  // namespace berth::app
