// SPDX-License-Identifier: MIT
//
// BusyPoll: whether a loop that has nothing to do looks again at once, or sleeps.
//
// To be woken takes tens of microseconds, and often longer than the wait itself. So where waits
// have been short, no longer than the bound, the loop goes on looking for a while before it
// sleeps. That while, the window, doubles with every short wait up to the bound, and halves down
// to nothing with every long one: rare messages cost no time at all.
//
// Threads:   the loop's.

#pragma once

#include <berth/clock.hpp>

#include <algorithm>

namespace berth::loop {

class BusyPoll {
public:
    void set_bound(Duration bound) {
        bound_ = bound;
        window_ = Duration::zero();
    }
    bool is_on() const { return bound_ > Duration::zero(); }

    // There is nothing to do, from now on.
    void begin_wait(Instant now) { began_ = now; }
    // Something came; what is done about it is not part of the wait.
    void end_wait(Instant came) {
        const bool was_short = came - began_ <= bound_;
        if (was_short) {
            window_ = std::clamp(2 * window_, bound_ / kSteps, bound_);
        } else {
            window_ = window_ > bound_ / kSteps ? window_ / 2 : Duration::zero();
        }
    }
    bool looks_again(Instant now) const { return now - began_ < window_; }
    Duration window() const { return window_; }

private:
    static constexpr int kSteps = 4;

    Duration bound_{0};
    Duration window_{0};
    Instant began_;
};

}  // namespace berth::loop
