// SPDX-License-Identifier: MIT
//
// BackOff: how long to wait before the next attempt, and when it was enough.
//
// Full jitter: at random between nothing and a bound that grows. Clients that lost their server at
// one moment come back spread over the whole bound, and not in waves.
//
// See:       Brooker, Exponential backoff and jitter, AWS Architecture Blog, 2015.

#pragma once

#include "base/split_mix.hpp"

#include <berth/clock.hpp>
#include <berth/dial.hpp>
#include <berth/result.hpp>

#include <cstdint>
#include <optional>

namespace berth::net {

class BackOff {
public:
    // `seed` counts where `retry` has none.
    BackOff(const DialRetry& retry, std::uint64_t seed);

    // The pause before the next attempt; nothing: there is none.
    std::optional<Duration> next();
    unsigned attempts() const { return attempts_; }  // begun, the first one among them

private:
    DialRetry retry_;
    base::SplitMix chance_;
    unsigned attempts_ = 1;
    double bound_;  // nanoseconds
};

// Is there a value out of range?
Result<void> check_retry(const DialRetry& retry);

}  // namespace berth::net
