// SPDX-License-Identifier: MIT
//
// ConnectionCore, by the end of it: what became of each byte that was written.
//
// written = acknowledged + discarded + unconfirmed. The kernel is asked (SIOCOUTQ) right before
// the socket closes. What it says of bytes never sent is exact only if none is sent between the
// question and the reset; so the socket is made deaf first: a window that no acknowledgement
// opens sends nothing. Where a sandbox forbids that, whatever the kernel has is unconfirmed.

#include "base/assert.hpp"
#include "net/connection_core.hpp"
#include "net/connection_table.hpp"

#include <algorithm>
#include <cerrno>

namespace berth::net {

namespace {

// After these the kernel has nobody to reset.
bool is_dead(int errno_value) {
    return errno_value == ECONNRESET || errno_value == EPIPE || errno_value == ETIMEDOUT;
}

}  // namespace

Farewell& ConnectionCore::farewell() {
    Farewell& farewell = table_.farewell(slot_);
    if (!ends_) farewell = {};
    ends_ = true;
    return farewell;
}

// Including our FIN, if it was sent. A Unix socket's bytes are with the peer as soon as they are
// sent, and who was sent nothing has nothing to acknowledge.
bool ConnectionCore::is_acknowledged() const {
    if (!is_acknowledging() || (bytes_written_ == 0 && !fin_sent_)) return true;
    const auto left = table_.system().unacknowledged(descriptor);
    return left.has_value() && *left == 0;
}

// Not acknowledged, of what was written. A FIN that is not acknowledged counts one byte in
// SIOCOUTQ, and it is the last one.
std::uint64_t ConnectionCore::in_kernel() const {
    const std::uint64_t sent = bytes_written_ - unsent();
    if (!is_acknowledging() || sent == 0 || !driver::is_open(descriptor)) return 0;
    std::uint64_t left = table_.system().unacknowledged(descriptor).value_or(0);
    if (fin_sent_ && left > 0) --left;
    return std::min(left, sent);
}

Fate ConnectionCore::fate() const {
    const std::uint64_t unsent_here = unsent();
    std::uint64_t left = in_kernel();
    std::uint64_t never_sent = 0;
    if (ending_ == driver::Ending::reset && left > 0) {
        const auto is_deaf = table_.system().drop_everything(descriptor);
        left = in_kernel();
        if (is_deaf) never_sent = table_.system().never_sent(descriptor).value_or(0);
        if (fin_sent_ && never_sent > 0) --never_sent;  // it waits behind the rest
        never_sent = std::min(never_sent, left);
    }
    return {.acknowledged = bytes_written_ - unsent_here - left,
            .discarded = unsent_here + never_sent,
            .unconfirmed = left - never_sent};
}

// The connections of a stop, of the engine or of their listener, are all accounted for, others only
// where something is missing.
void ConnectionCore::account() {
    LoopCounters& counters = table_.counters();
    counters.bytes_received.add(bytes_received_);
    counters.bytes_written.add(bytes_written_);
    const bool resets = ending_ == driver::Ending::reset;
    if (resets && !is_dead(errno_)) counters.resets_sent.add();
    const bool is_of_stop = drain_terms() && reason_ != CloseReason::handed_over;
    if (!is_of_stop && !resets && unsent() == 0) return;

    const Fate fate = this->fate();
    BERTH_DEBUG_ASSERT(fate.acknowledged + fate.discarded + fate.unconfirmed == bytes_written_,
                       "every byte written is acknowledged, discarded or unconfirmed");
    counters.bytes_discarded.add(fate.discarded);
    if (resets) counters.bytes_unconfirmed.add(fate.unconfirmed);
    if (is_of_stop) account_for_stop(fate);
}

void ConnectionCore::account_for_stop(const Fate& fate) {
    LoopCounters& counters = table_.counters();
    counters.stop_written.add(bytes_written_);
    counters.stop_acknowledged.add(fate.acknowledged);
    counters.stop_discarded.add(fate.discarded);
    counters.stop_unconfirmed.add(fate.unconfirmed);
    if (!forced_) return;
    counters.stop_forced.add();
    table_.note_forced([&] { return forced_entry(fate); });
}

StopReport::Forced ConnectionCore::forced_entry(const Fate& fate) const {
    const Instant now = table_.loop().now();
    return {.id = id(),
            .peer = peer_endpoint(),
            .state = to_string(ended_in_),
            .age = now - opened_at_,
            .idle = now - last_activity_,
            .bytes_unsent = fate.discarded,
            .bytes_unconfirmed = fate.unconfirmed,
            .in_flight = in_flight_};
}

// Input of who is closing is read to keep the peer from being reset, and dropped; but not for
// ever.
void ConnectionCore::drop_late(std::size_t count) {
    if (drain_terms()) table_.counters().stop_received_late.add(count);
    farewell().late += count;
    if (farewell().late <= table_.options().linger_bytes_max) return;
    const bool is_complete = fin_sent_ && is_acknowledged();
    if (drain_terms() && !is_complete) {
        return cut_off(CloseReason::stop_forced, driver::Ending::reset);
    }
    abort(driver::Ending::reset);
}

}  // namespace berth::net
