// SPDX-License-Identifier: MIT
//
// TimeLimits: how long a connection may do nothing, or live; and what is watched to tell.
//
// Most connections have the limits of Options and nothing to watch: those that differ have a
// TimeWatch beside them, by slot. Counts that a connection keeps anyway tell whether bytes move:
// when its timer looks, and they are as they were, nothing has. A look every eighth of the limit
// makes that exact enough, and costs a message nothing.
//
// Lifetime:  values.

#pragma once

#include <berth/clock.hpp>
#include <berth/options.hpp>

#include <cstdint>

namespace berth::net {

// Zero: none.
struct TimeLimits {
    Duration idle{0};
    Duration read{0};
    Duration write_stall{0};
    Duration lifetime{0};
    Duration linger{0};
    bool has_jitter = true;  // the lifetime

    static TimeLimits of(const Options& options) {
        return {.idle = options.idle_timeout,
                .read = options.read_timeout,
                .write_stall = options.write_stall_timeout,
                .lifetime = options.lifetime_max,
                .linger = options.linger};
    }
};

// A count, and since when it is known not to have moved.
class Standstill {
public:
    void look(std::uint64_t count, Instant now) {
        if (count == count_ && is_watched_) return;
        begin(count, now);
    }
    void begin(std::uint64_t count, Instant now) {
        count_ = count;
        since_ = now;
        is_watched_ = true;
    }
    void end() { is_watched_ = false; }

    bool is_over(Duration limit, Instant now) const {
        return is_watched_ && limit > Duration::zero() && now - since_ >= limit;
    }
    // When to look again.
    Instant next_look(Duration limit, Instant now) const {
        constexpr int kLooks = 8;
        if (!is_watched_ || limit <= Duration::zero()) return Instant::never();
        const Instant end = since_ + limit;
        const Instant next = now + limit / kLooks;
        return next < end ? next : end;
    }

private:
    std::uint64_t count_ = 0;
    Instant since_;
    bool is_watched_ = false;
};

struct TimeWatch {
    explicit TimeWatch(const TimeLimits& inherited) : limits(inherited) {}

    TimeLimits limits;
    Standstill input;   // bytes received
    Standstill output;  // bytes that the kernel took, while some wait
};

}  // namespace berth::net
