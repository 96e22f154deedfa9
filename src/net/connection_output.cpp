// SPDX-License-Identifier: MIT
//
// ConnectionCore, the way out: writes, the queue behind a slow peer, water marks.
//
// A write takes the shortest way that keeps the order: into the turn's area (leaves when the
// callback returns), directly to the kernel (too long to copy), or into the queue (the peer does
// not keep up, or it is not this connection's turn; leaves at the end of the batch). Output of a
// connection with a transport always takes the queue: it is sealed from there.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/datagram_carrier.hpp"
#include "net/message_link.hpp"
#include "net/wire.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

namespace berth::net {

namespace {

// Outside a turn, shorter writes wait for the end of the batch, to leave together.
constexpr std::size_t kDirectMin = 16U << 10U;

std::size_t total(driver::Slices slices) {
    std::size_t count = 0;
    for (const Bytes& slice : slices) count += slice.size();
    return count;
}

}  // namespace

std::size_t ConnectionCore::unsent() const {
    std::size_t count = output_ ? output_->bytes() : 0;
    if (table_.turn().is_of(*this)) count += table_.turn().written().size();
    if (is(kFiles)) count += files().queued() + files().left();
    if (is(kLinked)) count += table_.link(slot_).queued();
    return count;
}

// Of that, what is in our memory.
std::size_t ConnectionCore::held() const { return unsent() - file_left(); }

WriteStatus ConnectionCore::write_slow(Bytes bytes) {
    if (is(kLinked)) return write_linked(bytes);
    if (!may_write(state_) || !may_queue(bytes.size())) return WriteStatus::refused;
    if (bytes.empty()) return pressure();
    const bool needs_queue = output_ || is(kTransported | kFiles);
    if (!needs_queue) {
        if (table_.turn().is_of(*this)) table_.turn().gather();
        if (write_to_turn(bytes)) return WriteStatus::queued;
    }
    bytes_written_ += bytes.size();
    last_activity_ = table_.loop().now();
    if (!needs_queue && (table_.turn().is_of(*this) || bytes.size() >= kDirectMin)) {
        return write_directly(bytes);
    }
    queue_copy(bytes);
    mark_dirty();
    return pressure();
}

WriteStatus ConnectionCore::write(Buffer&& buffer) {
    if (is(kLinked)) return write_linked(buffer.bytes());
    if (!may_write(state_) || !may_queue(buffer.size())) return WriteStatus::refused;
    if (buffer.empty()) return pressure();
    bytes_written_ += buffer.size();
    queue_turn();
    owe(buffer.size());
    last_queue().append(std::move(buffer));
    mark_dirty();
    return pressure();
}

void ConnectionCore::write_and_tell(Buffer&& buffer, WriteWaiter& waiter) {
    if (write(std::move(buffer)) >= WriteStatus::refused) {
        table_.finish_later(waiter, Delivery::stale);
    } else if (MessageLink* const link = messages(); link != nullptr && link->queued() > 0) {
        waiter.position = bytes_written_;
        link->waiters().push(waiter);
    } else if (!output_ && !is(kFiles)) {
        table_.finish_later(waiter, Delivery::written);  // an empty buffer
    } else {
        waiter.position = bytes_written_;
        last_queue().waiters().push(waiter);
    }
}

// Acts on what the last call or completion left to do.
void ConnectionCore::settle() {
    if (is_gone()) return;
    if ((output_ || is(kTransported)) && !is(kSending)) send_queue();
    if (is(kFiles) && !is(kSending)) send_files();
    if (is(kTransported) && is_waiting() && !begin_waiting()) return;
    if (awaits_flush(state_) && finish_output()) advance(ConnectionEvent::flushed);
}

// What this turn wrote before, and `bytes`, in one system call and without a copy.
WriteStatus ConnectionCore::write_directly(Bytes bytes) {
    Turn& turn = table_.turn();
    const Bytes before = turn.is_of(*this) ? turn.written() : Bytes{};
    const std::array<Bytes, 2> both{before, bytes};
    const driver::Sent sent = before.empty() ? table_.driver().send(*this, bytes)
                                             : table_.driver().send_slices(*this, both);
    if (sent.is_failed()) {
        queue_turn();  // it counts as lost
        bytes_written_ -= bytes.size();
        fail(sent.errno_value());
        return WriteStatus::refused;
    }
    if (!before.empty()) turn.clear();
    if (sent.count() < before.size() + bytes.size()) keep_rest(both, sent.count());
    return pressure();
}

void ConnectionCore::send_turn_short(driver::Sent sent) {
    const Bytes written = table_.turn().written();
    table_.turn().clear();
    if (sent.is_failed()) {
        queue_copy(written);  // it counts as lost
        return fail(sent.errno_value());
    }
    keep_rest({&written, 1}, sent.count());
    pressure();
}

void ConnectionCore::keep_rest(driver::Slices slices, std::size_t sent) {
    for (const Bytes& slice : slices) {
        const std::size_t gone = std::min(sent, slice.size());
        queue_copy(slice.subspan(gone));
        sent -= gone;
    }
    arm_send();
}

// ── What was sent too soon ───────────────────────────────────────────────────────────────────

// A turn's output may still be on its way to the kernel, which may refuse it. Asked before anything
// that relies on what was sent: a FIN, an account, a journey. False: some of it is here again.
bool ConnectionCore::reclaim() {
    if (is(kLinked)) return true;
    const driver::Slices unsent = table_.driver().settle(*this);
    if (unsent.empty()) return true;
    take_back(unsent);
    return false;
}

void ConnectionCore::on_unsent(driver::Slices slices, int errno_value) {
    if (is_gone()) return;  // nothing was owed when it was closed
    take_back(slices);
    if (errno_value != 0) return fail(errno_value);
    pressure();
}

// In front of what was queued meanwhile, also of what waits in the driver for the socket.
void ConnectionCore::take_back(driver::Slices slices) {
    OutputQueue& queue = this->queue();
    for (const Bytes& slice : std::views::reverse(slices)) {
        owe(slice.size());
        queue.prepend_copy(slice);
    }
    if (is(kSending)) {
        queue.pin();
    } else if (!is_gone()) {
        arm_send();
    }
}

// ── The queue ────────────────────────────────────────────────────────────────────────────────

OutputQueue& ConnectionCore::queue() {
    if (!output_) output_ = table_.output_pool().take_queue();
    return *output_;
}

void ConnectionCore::queue_copy(Bytes bytes) {
    owe(bytes.size());
    last_queue().append_copy(bytes);
}

void ConnectionCore::queue_turn() {
    Turn& turn = table_.turn();
    if (!turn.is_of(*this) || turn.written().empty()) return;
    queue_copy(turn.written());
    turn.clear();
}

bool ConnectionCore::may_queue(std::size_t count) {
    if (count > table_.options().output_max - std::min(held(), table_.options().output_max)) {
        close(CloseMode::reset, CloseReason::outbound_overflow);
        return false;
    }
    if (!is_waiting() || table_.memory().has_room(count)) return true;
    close(CloseMode::reset, CloseReason::memory_max);
    return false;
}

void ConnectionCore::owe(std::size_t count) {
    table_.counters().outbound_bytes.add(count);
    table_.memory().add(count);
}

void ConnectionCore::paid(std::size_t count) {
    table_.counters().outbound_bytes.sub(count);
    table_.memory().sub(count);
}

// A peer that does not read is not read either, or it would fill our memory with answers.
WriteStatus ConnectionCore::pressure() {
    if (is_gone()) return WriteStatus::refused;
    const bool is_costly = is_waiting() && table_.memory().is_short();
    if (held() <= table_.options().output_high && !is_costly) return WriteStatus::queued;
    if (is(kRelayed)) {
        hold_partner_back();
    } else {
        pause(kOverHigh);
    }
    return WriteStatus::over_high;
}

// Also what an earlier turn wrote and the driver has yet to ask the kernel for. What the kernel
// refuses of that waits for room, and so does what this turn wrote.
void ConnectionCore::flush() {
    if (is_gone() || is(kSending)) return;
    if (is_datagrams()) return carrier().flush();
    reclaim();
    if (table_.turn().is_of(*this) && !table_.turn().written().empty()) {
        if (!output_) return send_turn_now();
        queue_turn();
    }
    if (output_ && !is(kSending)) send_queue();
    if (is(kFiles) && !is(kSending)) send_files();
}

// Not with the driver's next poll: the callback goes on, perhaps for long.
void ConnectionCore::send_turn_now() {
    const Bytes written = table_.turn().written();
    const driver::Sent sent = table_.driver().send(*this, written);
    if (sent.is_failed() || sent.count() < written.size()) return send_turn_short(sent);
    table_.turn().clear();
}

// What the kernel gets: the queue itself, or what a transport made of it. Null: nothing now.
OutputQueue* ConnectionCore::outgoing() {
    return is(kTransported) ? outgoing_wire() : output_.get();
}

void ConnectionCore::send_queue() {
    std::array<Bytes, kSlicesPerSend> room;
    while (const OutputQueue* const queue = outgoing()) {
        const driver::Slices slices = queue->front(room);
        const std::size_t offered = total(slices);
        const driver::Sent sent = table_.driver().send_slices(*this, slices);
        if (sent.is_failed()) return fail(sent.errno_value());
        taken(sent.count());
        if (sent.count() < offered) return arm_send();
    }
}

void ConnectionCore::arm_send() {
    if (is(kSending)) return;
    if (!begin_waiting()) return;
    set(kSending);
    table_.driver().send_when_ready(*this, outgoing()->pin());
}

void ConnectionCore::on_sent(driver::Sent sent) {
    if (is_gone()) return;
    const bool all = !sent.is_failed() && sent.count() == total(*pinned);
    clear(kSending);
    if (sent.is_failed()) return fail(sent.errno_value());
    taken(sent.count());
    if (!all) arm_send();  // full again: trying at once would cost a call for nothing
    settle();
}

void ConnectionCore::taken(std::size_t count) {
    last_activity_ = table_.loop().now();
    if (is(kTransported)) count = wire().taken(count);
    if (count > 0) sent_from_queue(count);
}

void ConnectionCore::sent_from_queue(std::size_t count) {
    output_->consume(count);
    paid(count);
    finish_waiters(output_->waiters());
    relieve();
    if (!output_->empty()) return;
    table_.output_pool().give_back(std::move(output_));
    // Reading may have been paused for this output: what waits in the kernel is read before a FIN.
    if (is(kDraining)) end_when_idle();
}

void ConnectionCore::finish_waiters(WriteWaiters& waiters) {
    const std::uint64_t sent = bytes_written_ - unsent();
    while (!waiters.empty() && waiters.front().position <= sent) {
        table_.finish_later(*waiters.pop(), Delivery::written);
    }
}

// Something was sent: perhaps so much that the peer may be read again.
void ConnectionCore::relieve() {
    const std::size_t low = table_.memory().is_short() ? 0 : table_.options().output_low;
    const bool is_low = held() <= low;
    if (is(kOverHigh) && is_low) {
        resume(kOverHigh);
        set(kWantsWritable);
        mark_dirty();
    }
    if (is(kRelayed) && is_low) release_partner();
}

// After the last completion only: until then the driver may be looking at the queue.
void ConnectionCore::drop_output() {
    const Delivery delivery =
        reason_ == CloseReason::stop_forced ? Delivery::cancelled_by_stop : Delivery::stale;
    if (output_) drop_queue(std::move(output_), delivery);
    drop_messages(delivery);
    drop_files(delivery);
}

void ConnectionCore::drop_queue(std::unique_ptr<OutputQueue> queue, Delivery delivery) {
    while (WriteWaiter* waiter = queue->waiters().pop()) table_.finish_later(*waiter, delivery);
    paid(queue->bytes());
    table_.output_pool().give_back(std::move(queue));
}

void ConnectionCore::mark_dirty() {
    if (is(kDirty) || is_gone()) return;
    set(kDirty);
    table_.mark_dirty(*this);
}

void ConnectionCore::end_batch() {
    clear(kDirty);
    if (is_gone()) return;
    if (is(kWantsWritable)) {
        clear(kWantsWritable);
        take_turn(Callback::on_writable,
                  [this] { return table_.handler().on_writable(*this), Action::none; });
    }
    if (is(kWantsTraffic) && !is(kOverHigh)) {
        clear(kWantsTraffic);
        wake();
    }
    if (is(kRelayed)) relay_leftovers();
    if (is(kTransported)) read_wire();
    if (is(kKept)) tidy_kept();
    settle();
}

}  // namespace berth::net
