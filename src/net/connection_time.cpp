// SPDX-License-Identifier: MIT
//
// ConnectionCore and time: idle, waiting for the peer's FIN, keeping up.
//
// A connection has one timer. It is armed for the earliest thing that may be due; when it fires,
// it is looked what is. Activity does not move it, it only leaves a stamp.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"

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

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

// One that lingers has armed it for that.
void ConnectionCore::arm_timer() {
    if (is_gone() || state_ == ConnectionState::lingering) return;
    table_.loop().timers().arm(*this, next_look());
}

Instant ConnectionCore::next_look() const {
    const Options& options = table_.options();
    Instant next = Instant::never();
    if (options.idle_timeout > Duration::zero()) next = last_activity_ + options.idle_timeout;
    if (is(kDraining) && is_fresh()) next = std::min(next, grace_end());
    if (!told_) return next;
    const Farewell& farewell = table_.farewell(id_);
    if (awaits_drain_) return std::min(next, farewell.told_at);
    if (options.send_rate_min == 0) return next;
    return std::min(next, farewell.looked_at + kRateInterval);
}

void ConnectionCore::fire(loop::Timer& timer) { static_cast<ConnectionCore&>(timer).timed_out(); }

void ConnectionCore::timed_out() {
    if (state_ == ConnectionState::connecting) {
        return is(kDraining) ? table_.finish_drain_later(*this) : fail(ETIMEDOUT);
    }
    if (state_ == ConnectionState::lingering) return linger_on();
    const Instant now = table_.loop().now();
    if (awaits_drain_ && farewell().told_at <= now) return tell_drain();
    if (is_too_slow()) return cut_off(CloseReason::stop_forced, driver::Ending::reset);
    const Duration idle = table_.options().idle_timeout;
    if (idle > Duration::zero() && now - last_activity_ >= idle) {
        return close(finish_output() ? CloseMode::after_flush : CloseMode::reset,
                     CloseReason::idle_timeout);
    }
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
    const Duration silence = table_.options().linger;
    if (silence <= Duration::zero()) return abort(driver::Ending::orderly);
    table_.loop().timers().arm(*this, last_activity_ + silence);
}

// Who has our FIN and says nothing has everything: it need not be waited for. Who has not is
// waited for until the stop's deadline, or as long as a stop would have. (TCP_USER_TIMEOUT would
// count from the first byte that it did not take, and cut it off before.)
void ConnectionCore::linger_on() {
    const Instant now = table_.loop().now();
    const Instant silent_at = last_activity_ + table_.options().linger;
    const bool is_last_look = !drain_terms() && now >= farewell().fin_at + table_.options().drain;
    if (is_last_look || (now >= silent_at && is_acknowledged())) return leave();
    if (is_too_slow()) return cut_off(CloseReason::stop_forced, driver::Ending::reset);
    const Duration interval = std::max(kLingerInterval, (now - farewell().fin_at) / kLingerShare);
    table_.loop().timers().arm(*this, std::max(silent_at, now + interval));
}

void ConnectionCore::leave() {
    if (peer_.family != 0) {
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
