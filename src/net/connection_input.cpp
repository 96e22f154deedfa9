// SPDX-License-Identifier: MIT
//
// ConnectionCore, the way in: from received bytes to a turn of the handler, and what it leaves.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"

#include <algorithm>

namespace berth::net {

void ConnectionCore::on_received(Bytes bytes) {
    last_activity_ = table_.loop().now();
    if (odd_ != 0) [[unlikely]]
        return is(kTransported) ? received_wire(bytes) : received_odd(bytes);
    bytes_received_ += bytes.size();
    fresh_ = bytes;
    take_turn(Callback::on_traffic, [this] { return table_.handler().on_traffic(*this); });
}

void ConnectionCore::obey(Action action) {
    if (action == Action::close) {
        close(CloseMode::after_flush, CloseReason::local_close);
    } else if (action == Action::shutdown) {
        table_.host().stop_requested_by_handler();
    }
}

void ConnectionCore::leave_unread() {
    if (!fresh_.empty() || is(kKept)) keep_unread();
    if (is_gone()) table_.turn().clear();
}

// Apart from on_received, which has it inline.
[[gnu::noinline]] void ConnectionCore::traffic() {
    take_turn(Callback::on_traffic, [this] { return table_.handler().on_traffic(*this); });
}

void ConnectionCore::received_odd(Bytes bytes) {
    bytes_received_ += bytes.size();
    if (!is_read(state_)) {
        // Closing: it is read to keep the peer from being reset, and dropped.
        if (table_.is_stopping()) table_.counters().stop_received_late.add(bytes.size());
        return;
    }
    if (kept_.empty()) {
        fresh_ = bytes;
    } else if (kept_.size() + bytes.size() > table_.options().input_max) {
        return close(CloseMode::reset, CloseReason::inbound_overflow);
    } else {
        kept_.append(bytes);
    }
    if (is_paused()) {
        set(kWantsTraffic);  // when it resumes
        return keep_unread();
    }
    traffic();
}

// What the handler left is copied once, into memory that is taken now and given back when empty.
// A connection that is closing reads no more: its input is dropped.
void ConnectionCore::keep_unread() {
    if (!may_write(state_) && !is_read(state_)) return discard_input();
    if (!fresh_.empty()) {
        if (fresh_.size() > table_.options().input_max) {
            fresh_ = {};
            return close(CloseMode::reset, CloseReason::inbound_overflow);
        }
        kept_.append(fresh_);
        fresh_ = {};
    }
    if (kept_.empty()) {
        kept_.trim();
        clear(kKept);
    } else {
        set(kKept);
    }
}

void ConnectionCore::consume_kept(std::size_t count) {
    kept_.consume(count);
    mark_dirty();  // its memory goes at the end of the batch, or of the turn
}

void ConnectionCore::discard_input() {
    fresh_ = {};
    kept_.consume(kept_.size());
    kept_.trim();
    clear(kKept);
}

// ── Pausing: by the user, or because the peer does not read ──────────────────────────────────

void ConnectionCore::pause(Odd why) { change_reading(why, 0); }

void ConnectionCore::resume(Odd why) {
    if (!is(why)) return;
    change_reading(0, why);
    if (is(kTransported)) mark_dirty();  // it may hold bytes that were not wanted
}

void ConnectionCore::change_reading(unsigned bits_set, unsigned bits_cleared) {
    const bool was_held = is_held();
    set(bits_set);
    clear(bits_cleared);
    if (is_held() == was_held || !opened_ || is_gone()) return;
    if (was_held) return table_.driver().resume_receive(*this);
    table_.driver().pause_receive(*this);
}

void ConnectionCore::pause_by_user() { pause(kUserPaused); }

void ConnectionCore::resume_by_user() {
    if (!is(kUserPaused)) return;
    resume(kUserPaused);
    if (!unread().empty() || is(kWantsTraffic)) {
        set(kWantsTraffic);
        mark_dirty();
    }
}

void ConnectionCore::wake() {
    if (!opened_ || !(is_read(state_) || may_write(state_))) return;
    if (is(kUserPaused)) return set(kWantsTraffic);  // when it resumes
    last_activity_ = table_.loop().now();
    traffic();
}

// ── The peer's end ───────────────────────────────────────────────────────────────────────────

void ConnectionCore::on_receive_end(int errno_value) {
    if (is_gone()) return;
    if (errno_value != 0) return fail(errno_value);
    if (is(kTransported)) return wire_ended();
    advance(ConnectionEvent::peer_end);
}

}  // namespace berth::net
