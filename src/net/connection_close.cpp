// SPDX-License-Identifier: MIT
//
// ConnectionCore, from the beginning to the end: performs what connection_state.hpp decides.

#include "base/assert.hpp"
#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"

#include <algorithm>
#include <cerrno>

namespace berth::net {

void ConnectionCore::advance(ConnectionEvent event) {
    const ConnectionStep taken = step(state_, event);
    state_ = taken.next;
    if (state_ == ConnectionState::open) {
        clear(kNotOpen);
    } else {
        set(kNotOpen);
    }
    perform(taken.effect);
}

void ConnectionCore::perform(ConnectionEffect effect) {
    switch (effect) {
        case ConnectionEffect::nothing: return;
        case ConnectionEffect::open: return tell_open();
        case ConnectionEffect::tell_end: return tell_end();
        case ConnectionEffect::flush: return mark_dirty();
        case ConnectionEffect::send_fin: return send_fin();
        case ConnectionEffect::linger: return linger();
        case ConnectionEffect::close: return start_closing();
        case ConnectionEffect::report: return report();
        case ConnectionEffect::impossible: break;
    }
    BERTH_ASSERT(false, "an event that cannot happen in this connection's state");
}

// ── Beginning ────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::open_accepted() {
    const auto started = table_.driver().start_receive(*this);
    if (!started) return fail(started.errno_value());
    begin();
}

void ConnectionCore::start_connecting(const Endpoint& endpoint, Deadline deadline) {
    table_.loop().timers().arm(*this, deadline);
    const auto started = table_.driver().connect(*this, endpoint);
    if (!started) fail(started.errno_value());
}

void ConnectionCore::on_connected(int errno_value) {
    if (is_gone()) return;
    if (errno_value != 0) return fail(errno_value);
    begin();
}

// The kernel's connection is there; one with a transport shakes hands first.
void ConnectionCore::begin() {
    if (table_.add_wire(*this)) return shake_hands();
    table_.loop().timers().cancel(*this);
    advance(ConnectionEvent::connected);
}

void ConnectionCore::tell_open() {
    opened_ = true;
    clear(kDraining);  // asked of it while it shook hands
    last_activity_ = table_.loop().now();
    arm_idle_timer();
    table_.opened(*this);
    take_turn(Callback::on_open, [this] { return table_.handler().on_open(*this); });
    if (table_.is_stopping()) table_.drain(*this);
}

// ── The peer's half, and ours ────────────────────────────────────────────────────────────────

void ConnectionCore::tell_end() {
    if (state_ == ConnectionState::flushing_ended) note_reason(CloseReason::peer_end);
    take_turn(Callback::on_end, [this] {
        const Action action = table_.handler().on_end(*this);
        if (action != Action::close) return action;
        close(CloseMode::after_flush, CloseReason::peer_end);
        return Action::none;
    });
}

void ConnectionCore::end() {
    if (is_gone()) return;
    if (state_ == ConnectionState::open_ended) note_reason(CloseReason::peer_end);
    advance(ConnectionEvent::end);
}

void ConnectionCore::send_fin() {
    if (!fin_sent_) table_.driver().end_sending(*this);
    fin_sent_ = true;
}

// Closing now, with bytes of the peer unread or on their way, would be a reset, and the reset
// would destroy what the peer has not read yet (RFC 2525, 2.17). So its FIN is waited for.
void ConnectionCore::linger() {
    send_fin();
    discard_input();
    resume(kOverHigh);
    resume(kUserPaused);
    if (table_.options().linger <= Duration::zero()) return abort(driver::Ending::orderly);
    table_.loop().timers().arm(*this, table_.loop().now() + table_.options().linger);
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::close(CloseMode mode, CloseReason reason) {
    if (is_gone()) return;
    switch (mode) {
        case CloseMode::after_flush: note_reason(reason); return advance(ConnectionEvent::close);
        case CloseMode::now:
            override_reason(reason);
            return abort(finish_output() ? driver::Ending::orderly : driver::Ending::reset);
        case CloseMode::reset: override_reason(reason); return abort(driver::Ending::reset);
    }
}

void ConnectionCore::fail(int errno_value) {
    if (is_gone()) return;
    errno_ = static_cast<std::uint16_t>(errno_value);
    switch (errno_value) {
        case ECONNRESET:
        case EPIPE: override_reason(CloseReason::peer_reset); break;
        case ETIMEDOUT: override_reason(CloseReason::user_timeout); break;
        default: override_reason(CloseReason::io_error);
    }
    abort(driver::Ending::reset);
}

void ConnectionCore::abort(driver::Ending ending) {
    ending_ = ending;
    advance(ConnectionEvent::abort);
}

void ConnectionCore::start_closing() {
    table_.loop().timers().cancel(*this);
    if (opened_) static_cast<void>(local_endpoint());  // while there is a socket to ask
    if (opened_ && table_.is_stopping()) account_for_stop();
    table_.driver().close(*this, ending_);
}

void ConnectionCore::on_closed() { advance(ConnectionEvent::reaped); }

void ConnectionCore::report() {
    if (opened_) {
        table_.counters().closed[static_cast<std::size_t>(reason_)].add();
        table_.guarded_void(Callback::on_close,
                            [this] { table_.handler().on_close(*this, reason_); });
    } else if (listener_ == kNoListener) {
        table_.connect_failed(*this, errno_);
    }
    drop_output();  // on_close may have asked how much was not sent
    table_.reap(*this);
}

// The first reason stands; one that cuts the connection off replaces one that waited.
void ConnectionCore::note_reason(CloseReason reason) {
    if (!reason_noted_) override_reason(reason);
}

void ConnectionCore::override_reason(CloseReason reason) {
    if (reason_noted_ && fin_sent_ && unsent() == 0) return;  // all was said already
    reason_ = reason;
    reason_noted_ = true;
}

// ── Stopping ─────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::drain(Deadline deadline) {
    if (is_gone()) return;
    if (state_ == ConnectionState::connecting) return drain_connecting();
    if (!may_write(state_) && !is_read(state_)) return;  // closing already
    take_turn(Callback::on_drain, [&] {
        const Action action = table_.handler().on_drain(*this, deadline);
        if (action != Action::close) return action;
        set(kDraining);
        resume(kUserPaused);  // what has arrived is read before the FIN
        table_.finish_drain_later(*this);
        return Action::none;
    });
}

// Of who was accepted and still shakes hands, what has arrived is read like a request.
void ConnectionCore::drain_connecting() {
    if (listener_ == kNoListener) return fail(ECANCELED);
    set(kDraining);
    table_.finish_drain_later(*this);
}

bool ConnectionCore::begin_harvest() {
    if (is(kHarvesting)) return false;
    set(kHarvesting);
    return true;
}

// Not while output waits for the peer: requests that arrive meanwhile are still served.
void ConnectionCore::finish_drain() {
    clear(kHarvesting);
    if (!is(kDraining) || unsent() > 0) return;
    clear(kDraining);
    close(CloseMode::after_flush, CloseReason::stop_graceful);
}

// A stream with bytes missing ends in a reset, never in a FIN that would look complete.
void ConnectionCore::force() {
    if (is_gone()) return;
    if (state_ == ConnectionState::connecting) return fail(ECANCELED);
    const bool complete = unsent() == 0 && is_acknowledged() && finish_output();
    if (is_gone()) return;  // the goodbye found the peer gone
    const bool said_all = fin_sent_ && complete;
    if (said_all) {
        note_reason(CloseReason::stop_graceful);
    } else {
        reason_ = CloseReason::stop_forced;
        reason_noted_ = true;
        table_.counters().stop_forced.add();
    }
    abort(complete ? driver::Ending::orderly : driver::Ending::reset);
}

void ConnectionCore::abandon(CloseReason reason) {
    if (state_ == ConnectionState::closed) return;
    table_.loop().timers().cancel(*this);
    if (driver::is_open(descriptor)) {
        // A FIN would look complete, and nobody knows whether it is.
        static_cast<void>(table_.system().set(descriptor, driver::SocketOption::linger_reset, 0));
        table_.system().close(descriptor);
    }
    state_ = ConnectionState::closed;
    override_reason(reason);
    report();
}

// A Unix socket's bytes are with the peer as soon as they are sent.
bool ConnectionCore::is_acknowledged() const {
    if (peer_.family == 0) return true;
    const auto left = table_.system().unacknowledged(descriptor);
    return left.has_value() && *left == 0;
}

// written = acknowledged + discarded + unconfirmed, per connection. A FIN that is not
// acknowledged counts one byte in SIOCOUTQ, and it is the last one.
void ConnectionCore::account_for_stop() {
    const std::uint64_t unsent_here = unsent();
    std::uint64_t in_kernel = 0;
    if (peer_.family != 0) in_kernel = table_.system().unacknowledged(descriptor).value_or(0);
    if (fin_sent_ && in_kernel > 0) --in_kernel;
    in_kernel = std::min(in_kernel, bytes_written_ - unsent_here);
    const bool resets = ending_ == driver::Ending::reset;
    const std::uint64_t never_sent =
        resets && in_kernel > 0
            ? std::min<std::uint64_t>(in_kernel, table_.system().never_sent(descriptor).value_or(0))
            : 0;
    LoopCounters& counters = table_.counters();
    counters.stop_written.add(bytes_written_);
    counters.stop_discarded.add(unsent_here + never_sent);
    counters.stop_unconfirmed.add(in_kernel - never_sent);
    counters.stop_acknowledged.add(bytes_written_ - unsent_here - in_kernel);
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::arm_idle_timer() {
    const Duration idle = table_.options().idle_timeout;
    if (idle > Duration::zero()) table_.loop().timers().arm(*this, last_activity_ + idle);
}

void ConnectionCore::fire(loop::Timer& timer) { static_cast<ConnectionCore&>(timer).timed_out(); }

// Activity does not move the timer, it only leaves a stamp: the timer looks at it when it fires.
void ConnectionCore::timed_out() {
    if (state_ == ConnectionState::connecting) return fail(ETIMEDOUT);
    if (state_ == ConnectionState::lingering) return abort(driver::Ending::orderly);
    if (table_.loop().now() - last_activity_ < table_.options().idle_timeout) {
        return arm_idle_timer();
    }
    close(finish_output() ? CloseMode::after_flush : CloseMode::reset, CloseReason::idle_timeout);
}

}  // namespace berth::net
