// SPDX-License-Identifier: MIT
//
// ConnectionCore joined with another one: what each receives is sent to the other.
//
// Bytes go from the driver's receive buffer to the partner's socket without a copy of ours. What
// the partner's kernel does not take waits in its queue, and above Options::output_high the side
// that it came from is held back (kHeldBack), which its own peer feels. The two directions are
// independent: neither waits for the other.
//
// An end is carried on, as an end. Whatever else takes one side away takes the other, too, and in
// the same way: who was cut off must not look complete on the other side.

#include "base/assert.hpp"
#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/splice_pipe.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace berth::net {

namespace {

constexpr std::size_t kSpliceBudget = 1U << 20U;  // of one connection per piece

}  // namespace

// ── Joining and parting ──────────────────────────────────────────────────────────────────────

bool ConnectionCore::relay_to(ConnectionCore& far) {
    const auto may_join = [](const ConnectionCore& one) {
        return one.opened_ && may_write(one.state_) && !one.is(kRelayed | kLinked);
    };
    if (&far == this || &far.table_ != &table_ || !may_join(*this) || !may_join(far)) return false;
    table_.relays().join(slot(), *this, far.slot(), far);
    begin_relay();
    far.begin_relay();
    return true;
}

void ConnectionCore::begin_relay() {
    clear(kWantsTraffic | kWantsWritable);
    set(kRelayed);
    resume(kUserPaused);
    resume(kOverHigh);  // it is the partner who is held back now
    pressure();
    mark_dirty();  // what was there before
}

void ConnectionCore::leave_relay() {
    clear(kRelayed);
    resume(kHeldBack);
}

// This one closes: so does the other one.
void ConnectionCore::part(driver::Ending ending) {
    if (!is(kRelayed)) return;
    ConnectionCore* const other = forget_partner();
    leave_relay();
    if (other != nullptr) other->lost_partner(ending, forced_);
}

ConnectionCore* ConnectionCore::forget_partner() {
    ConnectionCore* const other = table_.relays().forget(slot());
    if (other != nullptr) table_.relays().forget(other->slot());
    return other;
}

// Both have said all they had to say.
void ConnectionCore::part_in_peace() {
    if (!is(kRelayed)) return;
    ConnectionCore* const other = forget_partner();
    leave_relay();
    if (other != nullptr) other->leave_relay();
}

// Still joined in its own eyes: without its end it is not complete, whatever its queue says.
void ConnectionCore::lost_partner(driver::Ending ending, bool was_forced) {
    const bool is_complete = !may_write(state_);  // the partner's end was carried on before
    if (was_forced) {
        force();
    } else if (ending == driver::Ending::reset && !is_complete) {
        close(CloseMode::reset, CloseReason::relay_closed);
    } else {
        close(CloseMode::after_flush, CloseReason::relay_closed);
    }
    leave_relay();
}

ConnectionCore* ConnectionCore::partner() const { return table_.relays().of(slot()).other; }

// ── Bytes ────────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::relay(Bytes bytes) {
    ConnectionCore* const other = partner();
    if (other == nullptr || !may_write(other->state_)) return drop_late(bytes.size());
    relay_kept();
    other->forward(bytes);
    if (!is(kTransported) && table_.driver().leaves_more(*this, bytes.size())) splice_on(*other);
    if (is(kDraining) && !is(kHarvesting)) end_when_idle();  // it is fresh no longer
}

// What was unread when the two were joined.
void ConnectionCore::relay_kept() {
    if (kept_.empty()) return;
    if (ConnectionCore* const other = partner()) other->forward(kept_.view());
    consume_kept(kept_.size());
    tidy_kept();
}

void ConnectionCore::relay_leftovers() {
    relay_kept();
    if (state_ == ConnectionState::open_ended) relay_end();
}

void ConnectionCore::forward(Bytes bytes) {
    if (!may_write(state_)) return;
    bytes_written_ += bytes.size();
    last_activity_ = table_.loop().now();
    if (output_ || is(kTransported | kFiles)) {
        queue_copy(bytes);
        mark_dirty();
    } else {
        const driver::Sent sent = table_.driver().send_soon(*this, bytes);
        if (sent.is_failed()) {
            queue_copy(bytes);  // it counts as lost
            return fail(sent.errno_value());
        }
        if (sent.count() < bytes.size()) keep_rest({&bytes, 1}, sent.count());
    }
    pressure();
}

void ConnectionCore::hold_partner_back() {
    if (ConnectionCore* const other = partner()) other->pause(kHeldBack);
}

// One whose requests are not carried on any more stays held back.
void ConnectionCore::release_partner() {
    ConnectionCore* const other = partner();
    if (other == nullptr || !may_write(state_)) return;
    other->resume(kHeldBack);
    if (other->is(kDraining)) other->end_when_idle();
}

// ── Bytes that never come up ─────────────────────────────────────────────────────────────────

// What follows in the kernel goes straight to the other socket, as long as that has room. The pipe
// is the loop's and empty between calls: what is left in it is queued.
void ConnectionCore::splice_on(ConnectionCore& other) {
    const SplicePipe* const pipe = table_.splice_pipe();
    std::size_t budget = kSpliceBudget;
    while (pipe != nullptr && budget > 0 && may_splice_to(other)) {
        const auto moved = table_.system().splice(
            {.from = descriptor, .pipe = pipe->ends(), .to = other.descriptor}, budget);
        if (!moved) return splice_failed(moved.errno_value());
        if (moved->taken == 0) return;  // the peer's FIN: the driver will see it, too
        bytes_received_ += moved->taken;
        budget -= std::min(budget, moved->taken);
        other.bytes_written_ += moved->taken;
        other.last_activity_ = table_.loop().now();
        other.queue_spliced(*pipe, moved->taken - moved->sent);
        if (moved->sent == moved->taken) continue;
        if (moved->send_errno != EAGAIN) return other.fail(moved->send_errno);
        other.settle();  // the driver has yet to see that the socket is full
        other.pressure();
    }
}

// The socket tells an error once, and the driver would not hear of it.
void ConnectionCore::splice_failed(int errno_value) {
    const bool is_of_socket =
        errno_value == ECONNRESET || errno_value == ETIMEDOUT || errno_value == EPIPE;
    if (is_of_socket) fail(errno_value);
}

bool ConnectionCore::may_splice_to(ConnectionCore& other) {
    constexpr unsigned kInTheWay = kTransported | kFiles;
    return may_write(other.state_) && !other.output_ && !other.is(kInTheWay) && !is(kTransported) &&
           !is_paused() && other.reclaim();
}

void ConnectionCore::queue_spliced(const SplicePipe& pipe, std::size_t count) {
    std::vector<std::byte> piece(std::min(count, driver::System::kPipeBytes));
    while (count > 0) {
        const auto read = table_.system().read_pipe(pipe.ends().reader, piece);
        BERTH_ASSERT(read && *read > 0, "what was spliced into a pipe is in it");
        queue_copy(Bytes(piece).first(*read));
        count -= *read;
    }
}

// ── Ends ─────────────────────────────────────────────────────────────────────────────────────

void ConnectionCore::relay_end() {
    ConnectionCore* const other = partner();
    if (other != nullptr && may_write(other->state_)) other->end();
}

// The peer's end. If nothing can be sent to it any more either, the other one has nobody to talk
// to.
void ConnectionCore::carry_end_on() {
    relay_kept();
    ConnectionCore* const other = partner();
    if (other != nullptr && state_ == ConnectionState::flushing_ended && is_read(other->state_)) {
        other->close(CloseMode::after_flush,
                     drain_terms() ? CloseReason::stop_graceful : CloseReason::relay_closed);
    } else {
        relay_end();
    }
    mark_dirty();
}

// ── A stop ───────────────────────────────────────────────────────────────────────────────────

// What the near side has sent until now is carried on, with an end behind it; who answers that
// with an answer and an end loses nothing. The far side ends by that.
void ConnectionCore::drain_relay() {
    if (!table_.relays().of(slot()).is_near) return clear(kDraining);
    if (is(kHeldBack)) return;  // release_partner() asks again
    if (is_fresh()) return arm_timer();
    table_.finish_drain_later(*this);
}

void ConnectionCore::finish_relay_drain() {
    if (is(kHeldBack) || is_fresh()) return;  // asked again
    clear(kDraining);
    ConnectionCore* const far = partner();
    if (far == nullptr) return;
    relay_kept();
    pause(kHeldBack);
    relay_end();
    if (far->state_ == ConnectionState::flushing_ended && !may_write(state_)) {
        close(CloseMode::after_flush, CloseReason::stop_graceful);
    }
}

}  // namespace berth::net
