// SPDX-License-Identifier: MIT
//
// Histogram: how long things took, in buckets that grow with the value.
//
// Each power of two is cut into 128 buckets, so that a percentile is never more than 0.8 % too
// high, and recording costs a few instructions and no memory. Values past 18 minutes count as
// 18 minutes; the maximum is always exact.
//
// Lifetime:  a value of about 34 KiB.
// Threads:   one writer; add() the histograms of several threads when they are done.

#pragma once

#include <berth/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace berth::app {

class Histogram {
public:
    void record(Duration value);
    void add(const Histogram& other);

    std::uint64_t count() const { return count_; }
    Duration max() const { return max_; }
    // The value that `percent` of all values do not exceed; 0 when there are none.
    Duration percentile(double percent) const;

private:
    static constexpr unsigned kPrecisionBits = 7;
    static constexpr unsigned kValueBits = 40;
    static constexpr std::size_t kBuckets = std::size_t{kValueBits - kPrecisionBits + 1}
                                            << kPrecisionBits;

    static std::size_t bucket_of(std::uint64_t value);
    static std::uint64_t highest_in(std::size_t bucket);

    std::array<std::uint64_t, kBuckets> counts_{};
    std::uint64_t count_ = 0;
    Duration max_{0};
};

}  // namespace berth::app
