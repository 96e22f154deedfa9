// SPDX-License-Identifier: MIT
//
// DurationCounter: a histogram of durations that one thread writes and any thread reads.
//
// See:       base/counter.hpp; DurationHistogram in <berth/snapshot.hpp> is what readers get.

#pragma once

#include "base/counter.hpp"

#include <berth/clock.hpp>
#include <berth/snapshot.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace berth::base {

class DurationCounter {
public:
    void add(Duration duration) {
        const auto& bounds = DurationHistogram::kBounds;
        const auto bound = std::ranges::lower_bound(bounds, duration);
        counts_[static_cast<std::size_t>(bound - bounds.begin())].add();
        sum_.add(static_cast<std::uint64_t>(std::max(duration, Duration::zero()).count()));
    }

    // Adds what was counted here to `histogram`.
    void add_to(DurationHistogram& histogram) const {
        std::uint64_t at_most = 0;
        for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
            at_most += counts_[bucket].value();
            histogram.buckets[bucket] += at_most;
        }
        histogram.sum += Duration(static_cast<std::int64_t>(sum_.value()));
    }

private:
    std::array<Counter, DurationHistogram::kBounds.size() + 1> counts_;  // each for itself
    Counter sum_;                                                        // nanoseconds
};

}  // namespace berth::base
