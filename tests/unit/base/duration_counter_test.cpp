// SPDX-License-Identifier: MIT
//
// DurationCounter: every duration in its bucket and all above, sums, and no other.

#include "base/duration_counter.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace berth::base {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

DurationHistogram histogram_of(std::initializer_list<Duration> durations) {
    DurationCounter counter;
    for (const Duration duration : durations) counter.add(duration);
    DurationHistogram histogram;
    counter.add_to(histogram);
    return histogram;
}

TEST(DurationCounter, BoundsBelongToTheirBucket) {
    const auto at = histogram_of({microseconds{1'000}});
    EXPECT_EQ(at.buckets[0], 0U);
    EXPECT_EQ(at.buckets[1], 1U);
    const auto above = histogram_of({microseconds{1'000} + nanoseconds{1}});
    EXPECT_EQ(above.buckets[1], 0U);
    EXPECT_EQ(above.buckets[2], 1U);
}

TEST(DurationCounter, BucketsHoldAllThatIsSmaller) {
    const auto histogram = histogram_of({microseconds{1}, microseconds{50'000}, seconds{3'600}});
    EXPECT_EQ(histogram.buckets.front(), 1U);
    EXPECT_EQ(histogram.buckets[histogram.buckets.size() - 2], 2U) << "an hour is above them all";
    EXPECT_EQ(histogram.buckets.back(), 3U);
    EXPECT_EQ(histogram.sum, seconds{3'600} + microseconds{50'001});
}

TEST(DurationCounter, LessThanNothingIsNothing) {
    const auto histogram = histogram_of({-seconds{1}});
    EXPECT_EQ(histogram.buckets.front(), 1U);
    EXPECT_EQ(histogram.sum, Duration::zero());
}

TEST(DurationCounter, SeveralAddUp) {
    DurationCounter counter;
    counter.add(seconds{1});
    DurationHistogram histogram;
    counter.add_to(histogram);
    counter.add_to(histogram);
    EXPECT_EQ(histogram.buckets.back(), 2U);
    EXPECT_EQ(histogram.sum, seconds{2});
}

}  // namespace
}  // namespace berth::base
