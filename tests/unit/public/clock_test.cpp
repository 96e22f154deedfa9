// SPDX-License-Identifier: MIT
//
// Instant: time saturates at its end, and may lie before its beginning.

#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace berth {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Instant, PastTheEndOfTimeIsNever) {
    EXPECT_TRUE((Instant{hours{1}} + kNever).is_never());
    EXPECT_TRUE((Instant{Duration::max() - milliseconds{1}} + milliseconds{2}).is_never());
    EXPECT_FALSE((Instant{Duration::max() - milliseconds{2}} + milliseconds{1}).is_never());
}

// The machine was started less than an hour ago, and somebody has been idle for nearly an hour.
TEST(Instant, BeforeTheStartOfTheClockIsAnInstantLikeOthers) {
    const Instant since = Instant{milliseconds{100}} - hours{1};
    EXPECT_EQ(since + hours{1}, Instant{milliseconds{100}});
    EXPECT_LT(since, Instant{});
}

}  // namespace
}  // namespace berth
