// SPDX-License-Identifier: MIT
//
// Histogram: where a value is counted, and how a rank finds it again.

#include "histogram.hpp"

#include <berth/clock.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace berth::app {

// Below 2^8 a bucket per value. Above, the leading 8 bits name the bucket; the first of them is
// always 1, which leaves 2^7 buckets for every power of two.
std::size_t Histogram::bucket_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned dropped = width > kPrecisionBits + 1 ? width - (kPrecisionBits + 1) : 0;
    return (std::size_t{dropped} << kPrecisionBits) + (value >> dropped);
}

std::uint64_t Histogram::highest_in(std::size_t bucket) {
    const std::size_t row = bucket >> kPrecisionBits;
    const std::size_t dropped = row > 1 ? row - 1 : 0;
    const std::uint64_t leading = bucket - (dropped << kPrecisionBits);
    return ((leading + 1) << dropped) - 1;
}

void Histogram::record(Duration value) {
    value = std::max(value, Duration{0});
    constexpr std::uint64_t kHighest = (std::uint64_t{1} << kValueBits) - 1;
    const auto counted = std::min(static_cast<std::uint64_t>(value.count()), kHighest);
    ++counts_[bucket_of(counted)];
    ++count_;
    max_ = std::max(max_, value);
}

void Histogram::add(const Histogram& other) {
    std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus{});
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

Duration Histogram::percentile(double percent) const {
    const auto rank =
        static_cast<std::uint64_t>(std::ceil(percent / 100 * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
        seen += counts_[bucket];
        if (seen >= rank && seen > 0) {
            return std::min(max_, Duration{static_cast<std::int64_t>(highest_in(bucket))});
        }
    }
    return Duration{0};
}

}  // namespace berth::app
