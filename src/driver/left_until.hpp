// SPDX-License-Identifier: MIT
//
// left_until: how long to wait, from an absolute deadline. One in the past, or the epoch itself,
// is now; the clock is not even asked for that.

#pragma once

#include "driver/system.hpp"

#include <berth/clock.hpp>

#include <algorithm>

namespace berth::driver {

inline Duration left_until(Deadline deadline, System& system) {
    if (deadline.is_never()) return kNever;
    if (deadline.since_epoch <= Duration::zero()) return Duration::zero();
    return std::max(deadline - system.now(), Duration::zero());
}

}  // namespace berth::driver
