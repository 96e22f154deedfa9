// SPDX-License-Identifier: MIT
//
// Time: steady instants and durations. Every timeout and deadline of berth is one of these; the
// wall clock is only read to stamp reports and log lines.

#pragma once

#include <chrono>

namespace berth {

using Duration = std::chrono::nanoseconds;

// A point on CLOCK_MONOTONIC (clock_gettime(2)), or on the virtual clock of a simulation.
struct Instant {
    Duration since_epoch{0};

    friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
    // Past the end of time is never: `now + kNever` is a deadline that does not come.
    friend constexpr Instant operator+(Instant at, Duration by) {
        Duration::rep sum = 0;
        if (__builtin_add_overflow(at.since_epoch.count(), by.count(), &sum)) return never();
        return {Duration{sum}};
    }
    friend constexpr Instant operator-(Instant at, Duration by) { return {at.since_epoch - by}; }
    friend constexpr Duration operator-(Instant a, Instant b) {
        return a.since_epoch - b.since_epoch;
    }

    static constexpr Instant never() { return {Duration::max()}; }
    constexpr bool is_never() const { return since_epoch == Duration::max(); }
};

// The instant by which something must have ended. Absolute, so that it survives being passed on.
using Deadline = Instant;

// "Do not call me again": what on_tick answers when it wants no tick.
inline constexpr Duration kNever = Duration::max();

}  // namespace berth
