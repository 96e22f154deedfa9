// SPDX-License-Identifier: MIT
//
// Histogram: percentiles are never too low, and at most a percent too high.

#include "histogram.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

namespace {

using berth::Duration;
using berth::app::Histogram;
using namespace std::chrono_literals;

TEST(Histogram, IsEmptyAtFirst) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.percentile(99), Duration{0});
    EXPECT_EQ(histogram.max(), Duration{0});
}

TEST(Histogram, KeepsSmallValuesExactly) {
    Histogram histogram;
    for (int value = 1; value <= 200; ++value) histogram.record(Duration{value});
    EXPECT_EQ(histogram.percentile(50), Duration{100});
    EXPECT_EQ(histogram.percentile(99), Duration{198});
    EXPECT_EQ(histogram.percentile(100), Duration{200});
}

TEST(Histogram, IsAtMostOnePercentTooHighAtEveryMagnitude) {
    for (std::int64_t value = 1; value < (std::int64_t{1} << 40U); value = value * 3 / 2 + 1) {
        const auto histogram = std::make_unique<Histogram>();
        histogram->record(Duration{value});
        histogram->record(Duration{value * 2});
        const auto median = histogram->percentile(50).count();
        EXPECT_GE(median, value);
        EXPECT_LE(median, value + value / 100 + 1);
    }
}

TEST(Histogram, KeepsTheMaximumExactly) {
    Histogram histogram;
    histogram.record(1'234'567ns);
    histogram.record(2h);
    EXPECT_EQ(histogram.max(), 2h);
    EXPECT_LE(histogram.percentile(100), 2h);
}

TEST(Histogram, CountsAValueFromBeforeItsStartAsZero) {
    Histogram histogram;
    histogram.record(-5ns);
    EXPECT_EQ(histogram.count(), 1u);
    EXPECT_EQ(histogram.percentile(100), Duration{0});
}

TEST(Histogram, AddsUp) {
    Histogram low;
    Histogram high;
    for (int count = 0; count < 90; ++count) low.record(10us);
    for (int count = 0; count < 10; ++count) high.record(10ms);
    low.add(high);
    EXPECT_EQ(low.count(), 100u);
    EXPECT_LT(low.percentile(90), 11us);
    EXPECT_GE(low.percentile(91), 10ms);
    EXPECT_EQ(low.max(), 10ms);
}

}  // namespace
