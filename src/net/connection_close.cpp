// SPDX-License-Identifier: MIT
//
// ConnectionCore, beginning and end: performs what connection_state.hpp decides.

#include "base/assert.hpp"
#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/message_link.hpp"

#include <cerrno>

namespace berth::net {

void ConnectionCore::advance(ConnectionEvent event) {
    const ConnectionStep taken = step(state_, event);
    move_to(taken.next);
    perform(taken.effect);
}

void ConnectionCore::move_to(ConnectionState next) {
    if (next == ConnectionState::closing && state_ != next) ended_in_ = state_;
    state_ = next;
    if (state_ == ConnectionState::open) {
        clear(kNotOpen);
    } else {
        set(kNotOpen);
    }
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

void ConnectionCore::enter(Stage stage) {
    LoopCounters& counters = table_.counters();
    counters.of(stage_).sub();
    stage_ = stage;
    counters.of(stage_).add();
    if (stage == Stage::lingering) table_.note_progress();
}

// ── Beginning ────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::open_accepted() {
    if (const int errno_value = start_accepted(); errno_value != 0) return fail(errno_value);
    begin();
}

// To close at once over a request that is on its way would be a reset.
void ConnectionCore::open_refused() {
    if (const int errno_value = start_accepted(); errno_value != 0) return fail(errno_value);
    advance(ConnectionEvent::refuse);
}

void ConnectionCore::start_connecting(const Endpoint& endpoint, Deadline deadline,
                                      std::size_t descriptors_max) {
    if (endpoint.is_datagram()) return connect_datagrams(endpoint);
    if (const auto plan = MessagePlan::of(endpoint.scheme(), descriptors_max)) {
        return connect_messages(endpoint, *plan);
    }
    table_.loop().timers().arm(*this, deadline);
    const auto started = table_.driver().connect(*this, endpoint);
    if (!started) fail(started.errno_value());
}

void ConnectionCore::start_dialling(Deadline deadline) {
    table_.loop().timers().arm(*this, deadline);
}

void ConnectionCore::open_dialled(driver::Descriptor socket, const Endpoint& peer,
                                  std::size_t descriptors_max) {
    descriptor = socket;
    set_peer(peer.ip());
    if (peer.is_datagram()) return connect_datagrams(peer);
    const int errno_value = start_connected(MessagePlan::of(peer.scheme(), descriptors_max));
    if (errno_value != 0) return fail(errno_value);
    begin();
}

void ConnectionCore::on_connected(int errno_value) {
    if (is_gone()) return;
    if (errno_value != 0) return fail(errno_value);
    begin();
}

// The kernel's connection is there; one with a transport shakes hands first. A transport is for
// bytes: packets and descriptors would go past it.
void ConnectionCore::begin() {
    if (table_.add_wire(*this)) return is(kLinked) ? fail(EPROTONOSUPPORT) : shake_hands();
    table_.loop().timers().cancel(*this);
    advance(ConnectionEvent::connected);
}

void ConnectionCore::become_open() {
    opened_ = true;
    clear(kDraining);  // asked of it while it shook hands
    last_activity_ = table_.loop().now();
    watch_input();
    arm_timer();
    enter(Stage::open);
    table_.opened(*this);
}

void ConnectionCore::tell_open() {
    become_open();
    take_turn(Callback::on_open, [this] { return table_.handler().on_open(*this); });
    drain_if_told();
}

void ConnectionCore::drain_if_told() {
    if (drain_terms()) table_.drain(*this);
}

// ── The peer's half, and ours ────────────────────────────────────────────────────────────────

void ConnectionCore::tell_end() {
    if (state_ == ConnectionState::flushing_ended) note_reason(CloseReason::peer_end);
    if (is(kRelayed)) return carry_end_on();
    take_turn(Callback::on_end, [this] {
        const Action action = table_.handler().on_end(*this);
        if (action != Action::close) return action;
        close(CloseMode::after_flush, CloseReason::peer_end);
        return Action::none;
    });
}

void ConnectionCore::end() {
    if (is_gone()) return;
    if (is_datagrams()) return close(CloseMode::after_flush, CloseReason::local_close);
    if (state_ == ConnectionState::open_ended) note_reason(CloseReason::peer_end);
    advance(ConnectionEvent::end);
}

void ConnectionCore::send_fin() {
    if (fin_sent_) return;
    fin_sent_ = true;
    table_.driver().end_sending(*this);
    farewell().fin_at = table_.loop().now();
    enter(Stage::lingering);
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::close(CloseMode mode, CloseReason reason) {
    if (is_gone()) return;
    switch (mode) {
        case CloseMode::after_flush:
            note_reason(reason);
            if (is_datagrams()) return abort(driver::Ending::orderly);  // nobody says goodbye
            part(driver::Ending::orderly);
            return advance(ConnectionEvent::close);
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
        case ECONNREFUSED:  // of datagrams
        case EPIPE: override_reason(CloseReason::peer_reset); break;
        case ETIMEDOUT:
            if (told_) return cut_off(CloseReason::user_timeout, driver::Ending::reset);
            override_reason(CloseReason::user_timeout);
            break;
        default: override_reason(CloseReason::io_error);
    }
    abort(driver::Ending::reset);
}

void ConnectionCore::abort(driver::Ending ending) {
    ending_ = is_datagrams() ? driver::Ending::orderly : ending;
    part(ending_);
    advance(ConnectionEvent::abort);
}

void ConnectionCore::start_closing() {
    table_.loop().timers().cancel(*this);
    if (table_.give_up_dial(*this)) return;  // it has no socket yet
    part_in_peace();
    if (opened_) {
        remember_local_endpoint();
        if (!reclaim()) ending_ = driver::Ending::reset;
        account();
    }
    if (is(kLinked)) return table_.link(slot_).close();
    table_.driver().close(*this, ending_);
}

void ConnectionCore::abandon(CloseReason reason) {
    if (state_ == ConnectionState::closed) return;
    table_.loop().timers().cancel(*this);
    clear(kRelayed);  // and so does the other one
    override_reason(reason);
    table_.abandon_dial(*this);
    if (driver::is_open(descriptor)) {
        // A FIN would look complete, and nobody knows whether it is.
        ending_ = driver::Ending::reset;
        forced_ = reason == CloseReason::stop_forced;
        ended_in_ = state_;
        if (opened_) {
            remember_local_endpoint();
            account();
        }
        static_cast<void>(table_.system().set(descriptor, driver::SocketOption::linger_reset, 0));
        table_.system().close(descriptor);
        descriptor = driver::Descriptor::none;
    }
    state_ = ConnectionState::closed;
    report();
}

void ConnectionCore::on_closed() { advance(ConnectionEvent::reaped); }

void ConnectionCore::report() {
    LoopCounters& counters = table_.counters();
    if (opened_) {
        counters.closed[static_cast<std::size_t>(reason_)].add();
        if (told_ && !awaits_drain_)
            counters.drain_seconds.add(table_.loop().now() - farewell().told_at);
        table_.guarded_void(Callback::on_close,
                            [this] { table_.handler().on_close(*this, reason_); });
    } else if (listener_ == kNoListener) {
        table_.connect_failed(*this, errno_);
    }
    drop_output();  // on_close may have asked how much was not sent
    table_.memory().sub(kept_.size());
    counters.in_flight.sub(in_flight_);
    if (in_flight_ > 0) table_.host().busy_connection_gone(id());
    counters.of(stage_).sub();
    table_.reap(*this, stage_);
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

}  // namespace berth::net
