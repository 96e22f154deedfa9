// SPDX-License-Identifier: MIT
//
// ConnectionCore, the way in: from received bytes to a turn of the handler, and what it leaves.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/link.hpp"
#include "os/returns.hpp"

#include <algorithm>

namespace berth::net {

// The handler is looked up before the turn is noted: a store that might be anywhere, for all the
// compiler knows, so that it would load the table again.
BERTH_RETURNS_BY_JUMP void ConnectionCore::on_received(Bytes bytes) {
    last_activity_ = table_.loop().now();
    if (odd_ != 0) [[unlikely]]
        return received_unusual(bytes);
    bytes_received_ += bytes.size();
    EventHandler& handler = table_.handler();
    take_turn_with(bytes, Callback::on_traffic,
                   [this, &handler] { return handler.on_traffic(*this); });
}

[[gnu::noinline]] void ConnectionCore::received_unusual(Bytes bytes) {
    return is(kTransported) ? received_wire(bytes) : received_odd(bytes);
}

void ConnectionCore::received_odd(Bytes bytes) {
    bytes_received_ += bytes.size();
    if (!is_read(state_)) return drop_late(bytes.size());
    if (is(kRelayed)) return relay(bytes);
    const bool is_lent = kept_.empty() && !is_paused();
    if (!is_lent && !keep(bytes)) return;
    if (is_paused()) return set(kWantsTraffic);  // when it resumes
    traffic(is_lent ? bytes : kept_.view());
    if (is(kDraining) && !is(kHarvesting)) end_when_idle();  // it is fresh no longer
}

// Apart from on_received, which has it inline.
[[gnu::noinline]] void ConnectionCore::traffic(Bytes input) {
    take_turn_with(input, Callback::on_traffic,
                   [this] { return table_.handler().on_traffic(*this); });
}

// ── The end of a turn ────────────────────────────────────────────────────────────────────────

// In this order: what was written leaves before a close that was asked for takes effect.
BERTH_RETURNS_BY_JUMP [[gnu::noinline]] void ConnectionCore::end_odd_turn(Action action) {
    obey(action);
    leave_unread();
    if (!table_.turn().written().empty()) send_turn();
    end_short_turn();
}

BERTH_RETURNS_BY_JUMP [[gnu::noinline]] void ConnectionCore::end_short_turn() {
    table_.turn().end();
    if (odd_ != 0) settle();
}

// Called inside a catch. The engine goes on, without this connection.
void ConnectionCore::threw(Callback callback) {
    table_.threw(callback);
    close(CloseMode::now, CloseReason::handler_threw);
}

void ConnectionCore::obey(Action action) {
    if (action == Action::close) {
        close(CloseMode::after_flush, CloseReason::local_close);
    } else if (action == Action::shutdown) {
        table_.host().stop_requested_by_handler();
    }
}

// What the handler left is copied once, into memory that is taken now and given back when empty.
// Nothing is kept already unless it was that which the handler has seen.
void ConnectionCore::leave_unread() {
    if (keeps_bounds()) return drop_rest();
    const Bytes rest = table_.turn().unread();
    if (kept_.empty()) {
        if (!rest.empty() && (may_write(state_) || is_read(state_))) keep(rest);
    } else {
        consume_kept(kept_.size() - rest.size());
        tidy_kept();
    }
    if (is_gone()) table_.turn().clear();
}

// False: it is too much.
bool ConnectionCore::keep(Bytes bytes) {
    if (kept_.size() + bytes.size() > table_.options().input_max) {
        close(CloseMode::reset, CloseReason::inbound_overflow);
        return false;
    }
    if (!table_.memory().has_room(bytes.size())) {
        close(CloseMode::reset, CloseReason::memory_max);
        return false;
    }
    kept_.append(bytes);
    table_.memory().add(bytes.size());
    set(kKept);
    return true;
}

// A connection that is closing reads no more: its input is dropped.
void ConnectionCore::tidy_kept() {
    if (!may_write(state_) && !is_read(state_)) return discard_input();
    if (!kept_.empty()) return;
    kept_.trim();
    clear(kKept);
}

std::size_t ConnectionCore::discard_kept(std::size_t count) {
    const std::size_t dropped = std::min(count, kept_.size());
    consume_kept(dropped);
    mark_dirty();  // its memory goes at the end of the batch
    return dropped;
}

void ConnectionCore::consume_kept(std::size_t count) {
    kept_.consume(count);
    table_.memory().sub(count);
}

void ConnectionCore::discard_input() {
    if (table_.turn().is_of(*this)) table_.turn().drop_unread();
    consume_kept(kept_.size());
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
    if (was_held && !is_datagrams()) {
        if (TimeWatch* const watch = table_.watch_if(slot_)) {
            watch->input.begin(bytes_received_, table_.loop().now());
        }
    }
    if (is(kLinked)) {
        Link& link = table_.link(slot_);
        return was_held ? link.resume() : link.pause();
    }
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
    if (!opened_ || is(kRelayed) || !(is_read(state_) || may_write(state_))) return;
    if (is(kUserPaused)) return set(kWantsTraffic);  // when it resumes
    last_activity_ = table_.loop().now();
    traffic(kept_.view());
}

// ── The peer's end ───────────────────────────────────────────────────────────────────────────

void ConnectionCore::on_receive_end(int errno_value) {
    if (is_gone()) return;
    if (errno_value != 0) return fail(errno_value);
    if (is(kTransported)) return wire_ended();
    advance(ConnectionEvent::peer_end);
}

}  // namespace berth::net
