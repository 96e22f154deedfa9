// SPDX-License-Identifier: MIT
//
// ConnectionCore during a stop: told, busy, our FIN, and cut off where it must be.
//
// A connection that is to end gets our FIN once it is not busy: no InFlight token, nothing
// unsent, no input left in the kernel, and not so fresh that its first request is still to come.
// Whatever ends one of these asks end_when_idle() again, so that nothing is polled for.
//
// See:       docs/internals/connection.md, docs/decisions/0007-harvest-before-fin.md.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"

#include <algorithm>
#include <cerrno>

namespace berth::net {

namespace {

// Of a peer that is there something is heard within this: an acknowledgement, if nothing else.
constexpr Duration kSilenceMin = std::chrono::milliseconds{500};

}  // namespace

std::optional<DrainTerms> ConnectionCore::drain_terms() const {
    return table_.drain_terms(listener_);
}

// ── Told ─────────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::drain(Instant when) {
    if (is_gone() || told_) return;
    if (state_ == ConnectionState::connecting) return drain_connecting();
    told_ = true;
    if (when <= table_.loop().now()) return tell_drain();
    farewell().told_at = when;
    awaits_drain_ = true;
    arm_timer();
}

void ConnectionCore::tell_drain() {
    awaits_drain_ = false;
    farewell().told_at = table_.loop().now();
    if (stage_ == Stage::open) enter(Stage::draining);
    look();
    if (!may_write(state_) && !is_read(state_)) return arm_timer();  // closing already
    const Deadline deadline = drain_terms().value_or(DrainTerms{}).deadline;
    take_turn(Callback::on_drain, [&] {
        const Action action = table_.handler().on_drain(*this, deadline);
        if (action != Action::close) return action;
        set(kDraining);
        end_when_idle();
        return Action::none;
    });
    arm_timer();
}

// Of who was accepted and still shakes hands, what has arrived is read like a request.
void ConnectionCore::drain_connecting() {
    if (listener_ == kNoListener) return fail(ECANCELED);
    set(kDraining);
    if (is_fresh()) return table_.loop().timers().arm(*this, grace_end());
    table_.finish_drain_later(*this);
}

// ── Busy ─────────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::begin_request() {
    ++in_flight_;
    table_.counters().in_flight.add();
}

void ConnectionCore::end_request() {
    --in_flight_;
    table_.counters().in_flight.sub();
    if (is(kDraining)) end_when_idle();
}

// A client that has just connected is about to ask.
bool ConnectionCore::is_fresh() const {
    return bytes_received_ == 0 && listener_ != kNoListener && !imported_ && !is_session() &&
           state_ <= ConnectionState::open && table_.loop().now() < grace_end();
}

Instant ConnectionCore::grace_end() const {
    const Instant end = opened_at_ + table_.options().first_request_grace;
    const auto terms = drain_terms();
    return terms ? std::min(end, terms->fin_by) : end;
}

void ConnectionCore::end_when_idle() {
    if (is_gone() || in_flight_ > 0) return;
    if (is(kRelayed)) return drain_relay();
    resume_by_user();  // what has arrived is read before the FIN
    if (output_ || is(kFiles) || (is(kLinked) && unsent() > 0)) return;
    if (is_fresh()) return arm_timer();
    table_.finish_drain_later(*this);
}

bool ConnectionCore::begin_harvest() {
    if (is(kHarvesting)) return false;
    set(kHarvesting);
    return true;
}

// The harvest may have brought work: then its end asks again.
void ConnectionCore::finish_drain() {
    clear(kHarvesting);
    if (is(kRelayed) && is(kDraining) && in_flight_ == 0) return finish_relay_drain();
    if (!is(kDraining) || in_flight_ > 0 || unsent() > 0 || is_fresh()) return;
    clear(kDraining);
    close(CloseMode::after_flush, CloseReason::stop_graceful);
}

// ── Cut off ──────────────────────────────────────────────────────────────────────────────────

// A stream with bytes missing ends in a reset, never in a FIN that would look complete; and so
// does one that is still owed an answer, or more of a relay.
void ConnectionCore::force() {
    if (is_gone()) return;
    if (state_ == ConnectionState::connecting) return fail(ECANCELED);
    reclaim();
    const bool is_answered = fin_sent_ || (in_flight_ == 0 && !is(kRelayed));
    const bool is_complete = is_answered && unsent() == 0 && is_acknowledged() && finish_output();
    if (is_gone()) return;  // the goodbye found the peer gone
    if (fin_sent_ && is_complete) {
        note_reason(CloseReason::stop_graceful);
        return abort(driver::Ending::orderly);
    }
    cut_off(is_vanished() ? CloseReason::user_timeout : CloseReason::stop_forced,
            is_complete ? driver::Ending::orderly : driver::Ending::reset);
}

// Since the last look it has taken nothing and said nothing, though it is owed something, or its
// FIN is all that is missing. Who waits for an answer of ours is not meant.
bool ConnectionCore::is_stalled() const {
    if (is_gone() || !ends_ || in_flight_ > 0) return false;
    const Farewell& last = table_.farewell(slot_);
    if (last_activity_ > last.looked_at || acknowledged() != last.acknowledged) return false;
    return state_ == ConnectionState::lingering || unsent() > 0 || !is_acknowledged();
}

bool ConnectionCore::has_stalled() {
    if (is_stalled()) return true;
    if (told_ && !is_gone()) look();
    return false;
}

void ConnectionCore::cut_off(CloseReason reason, driver::Ending ending) {
    reason_ = reason;
    reason_noted_ = true;
    forced_ = true;
    abort(ending);
}

// Something is on its way to it, and nothing came back for a while: no byte, no acknowledgement.
bool ConnectionCore::is_vanished() const {
    if (!ends_ || !is_acknowledging()) return false;
    const Farewell& last = table_.farewell(slot_);
    const bool is_long_ago = table_.loop().now() - last.looked_at >= kSilenceMin;
    if (!is_long_ago || last_activity_ > last.looked_at) return false;
    const auto on_its_way = table_.system().unacknowledged(descriptor).value_or(0);
    return on_its_way > table_.system().never_sent(descriptor).value_or(0) &&
           acknowledged() == last.acknowledged;
}

}  // namespace berth::net
