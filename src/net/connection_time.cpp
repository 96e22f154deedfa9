// SPDX-License-Identifier: MIT
//
// ConnectionCore and time: its limits, waiting for the peer's FIN, keeping up.
//
// A connection has one timer. It is armed for the earliest thing that may be due; when it fires,
// it is looked what is. Activity does not move it, it only leaves a stamp.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/datagram_carrier.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace berth::net {

namespace {

// Acknowledgements make no event: who waits for the last one looks this often, and ever less: a
// stop is never longer by more than an eighth for it.
constexpr Duration kLingerInterval = std::chrono::milliseconds{25};
constexpr int kLingerShare = 8;
// Options::send_rate_min is measured over this.
constexpr Duration kRateInterval = std::chrono::seconds{1};
// TCP_LINGER2: a peer that has everything and never closes is forgotten by the kernel, too.
constexpr int kOrphanSeconds = 1;
// A connection at work is looked at again when its lifetime is over, this often.
constexpr Duration kBusyInterval = std::chrono::milliseconds{100};
constexpr int kLifetimeShare = 8;  // of it, by which a connection may end earlier

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

// ── Limits ───────────────────────────────────────────────────────────────────────────────────

const TimeLimits& ConnectionCore::limits() const {
    const TimeWatch* const watch = table_.watch_if(slot_);
    if (watch != nullptr) return watch->limits;
    return is_datagrams() ? carrier().limits() : table_.limits();
}

TimeWatch& ConnectionCore::watch() { return table_.watch(slot_, limits()); }

void ConnectionCore::limit(const TimeLimits& limits) {
    if (is_gone()) return;
    watch().limits = limits;
    if (!opened_) return;
    watch_input();
    watch_output();
    arm_timer();
}

// Who is not read cannot be heard: its silence counts from then on.
void ConnectionCore::watch_input() {
    if (limits().read <= Duration::zero()) return;
    Standstill& input = watch().input;
    if (!is_read(state_)) return input.end();
    if (is_paused()) return input.begin(bytes_received_, table_.loop().now());
    // What was received since the last look came last_activity_ at the latest.
    input.look(bytes_received_, std::min(last_activity_, table_.loop().now()));
}

// Between two waits for room something was sent, or it is one wait.
void ConnectionCore::watch_output() {
    if (limits().write_stall <= Duration::zero()) return;
    if (!is_waiting()) {
        if (TimeWatch* const watch = table_.watch_if(slot_)) watch->output.end();
        return;
    }
    watch().output.look(bytes_written_ - unsent(), table_.loop().now());
}

// False: it does not keep up, and there is no memory left to wait for it.
bool ConnectionCore::begin_waiting() {
    if (is_gone()) return false;
    if (table_.memory().is_exhausted()) {
        close(CloseMode::reset, CloseReason::memory_max);
        return false;
    }
    if (!opened_ || limits().write_stall <= Duration::zero()) return true;
    watch().output.look(bytes_written_ - unsent(), table_.loop().now());
    arm_timer();
    return true;
}

Instant ConnectionCore::next_limit(Instant now) const {
    const TimeLimits& limits = this->limits();
    Instant next = Instant::never();
    if (limits.idle > Duration::zero()) next = last_activity_ + limits.idle;
    if (limits.lifetime > Duration::zero() && may_write(state_)) {
        const Instant looked = in_flight_ > 0 ? now + kBusyInterval : Instant{};
        next = std::min(next, std::max(lifetime_end(), looked));
    }
    const TimeWatch* const watch = table_.watch_if(slot_);
    if (watch == nullptr) return next;
    return std::min({next, watch->input.next_look(limits.read, now),
                     watch->output.next_look(limits.write_stall, now)});
}

// Those that began together do not end together. The same for the same connection, always.
Instant ConnectionCore::lifetime_end() const {
    const TimeLimits& limits = this->limits();
    const std::uint32_t scattered = (slot_ * 0x9e3779b9U) ^ (slot().generation * 0x85ebca6bU);
    const Duration share = limits.lifetime / kLifetimeShare / 0x100;
    const Duration earlier = limits.has_jitter ? (scattered >> 24U) * share : Duration::zero();
    return opened_at_ + (limits.lifetime - earlier);
}

// True: its time is over, and it was dealt with.
bool ConnectionCore::give_up(Instant now) {
    watch_input();
    watch_output();
    const TimeLimits limits = this->limits();
    if (const TimeWatch* const watch = table_.watch_if(slot_)) {
        if (watch->output.is_over(limits.write_stall, now)) {
            close(CloseMode::reset, CloseReason::write_stall_timeout);
            return true;
        }
        if (watch->input.is_over(limits.read, now))
            return leave_for(CloseReason::read_timeout), true;
    }
    if (limits.idle > Duration::zero() && now - last_activity_ >= limits.idle) {
        return leave_for(CloseReason::idle_timeout), true;
    }
    const bool is_old = limits.lifetime > Duration::zero() && now >= lifetime_end();
    if (!is_old || !may_write(state_) || in_flight_ > 0) return false;
    close(CloseMode::after_flush, CloseReason::lifetime_max);
    arm_timer();  // what it still has to send may stall
    return true;
}

void ConnectionCore::leave_for(CloseReason reason) {
    close(finish_output() ? CloseMode::after_flush : CloseMode::reset, reason);
}

// ── The timer ────────────────────────────────────────────────────────────────────────────────

// One that lingers has armed it for that.
void ConnectionCore::arm_timer() {
    if (is_gone() || state_ == ConnectionState::lingering) return;
    table_.loop().timers().arm(*this, next_look());
}

Instant ConnectionCore::next_look() const {
    const Options& options = table_.options();
    Instant next = next_limit(table_.loop().now());
    if (is(kDraining) && is_fresh()) next = std::min(next, grace_end());
    if (!told_) return next;
    const Farewell& farewell = table_.farewell(slot_);
    if (awaits_drain_) return std::min(next, farewell.told_at);
    if (options.send_rate_min == 0) return next;
    return std::min(next, farewell.looked_at + kRateInterval);
}

void ConnectionCore::on_due() {
    if (state_ == ConnectionState::connecting) {
        return is(kDraining) ? table_.finish_drain_later(*this) : fail(ETIMEDOUT);
    }
    if (state_ == ConnectionState::lingering) return linger_on();
    const Instant now = table_.loop().now();
    if (awaits_drain_ && farewell().told_at <= now) return tell_drain();
    if (is_too_slow()) return cut_off(CloseReason::stop_forced, driver::Ending::reset);
    if (give_up(now)) return;
    if (is(kDraining)) end_when_idle();
    arm_timer();
}

TimerId ConnectionCore::schedule(const TimerTable::Plan& plan, TimerTable::ConnectionWork&& work) {
    if (is_gone()) return {};
    return table_.timers().schedule(plan, std::move(work), id());
}

// ── Waiting for the peer's FIN ───────────────────────────────────────────────────────────────

// Closing now, with bytes of the peer unread or on their way, would be a reset, and the reset
// would destroy what the peer has not read yet (RFC 2525, 2.17). So its FIN is waited for.
void ConnectionCore::linger() {
    look();  // before the FIN
    send_fin();
    discard_input();
    resume(kOverHigh);
    resume(kUserPaused);
    last_activity_ = table_.loop().now();
    const Duration silence = limits().linger;
    if (silence <= Duration::zero()) return abort(driver::Ending::orderly);
    table_.loop().timers().arm(*this, last_activity_ + silence);
}

// Who has our FIN and says nothing has everything: it need not be waited for. Who has not is
// waited for until the stop's deadline, or as long as a stop would have. (TCP_USER_TIMEOUT would
// count from the first byte that it did not take, and cut it off before.)
void ConnectionCore::linger_on() {
    const Instant now = table_.loop().now();
    const Instant silent_at = last_activity_ + limits().linger;
    const bool is_last_look = !drain_terms() && now >= farewell().fin_at + table_.options().drain;
    if (is_last_look || (now >= silent_at && is_acknowledged())) return leave();
    if (is_too_slow()) return cut_off(CloseReason::stop_forced, driver::Ending::reset);
    const Duration interval = std::max(kLingerInterval, (now - farewell().fin_at) / kLingerShare);
    table_.loop().timers().arm(*this, std::max(silent_at, now + interval));
}

void ConnectionCore::leave() {
    if (peer_family_ != 0) {
        static_cast<void>(
            table_.system().set(descriptor, driver::SocketOption::orphan_timeout, kOrphanSeconds));
    }
    abort(driver::Ending::orderly);
}

// ── Keeping up ───────────────────────────────────────────────────────────────────────────────

void ConnectionCore::look() {
    reclaim();
    Farewell& now = farewell();
    now.looked_at = table_.loop().now();
    now.written = bytes_written_;
    now.acknowledged = acknowledged();
}

// Since the last look, of what was owed then; and looks again.
bool ConnectionCore::is_too_slow() {
    const std::size_t rate = table_.options().send_rate_min;
    if (!told_ || rate == 0) return false;
    const Farewell before = farewell();
    const Duration elapsed = table_.loop().now() - before.looked_at;
    if (elapsed < kRateInterval) return false;
    look();
    const auto owed = static_cast<double>(before.written - before.acknowledged);
    const double due = std::min(owed, static_cast<double>(rate) * seconds(elapsed));
    return static_cast<double>(farewell().acknowledged - before.acknowledged) < due;
}

}  // namespace berth::net
