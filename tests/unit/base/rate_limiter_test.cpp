// SPDX-License-Identifier: MIT
//
// RateLimiter: bursts, and what comes back with time.

#include "base/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>

namespace berth::base {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{std::chrono::hours{1}};

std::size_t taken(RateLimiter& limiter, Instant now, std::size_t tries) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < tries; ++i) count += limiter.take(now) ? 1 : 0;
    return count;
}

TEST(RateLimited, WithoutARateTakesAll) {
    RateLimiter limiter;
    limiter.set(0, 0);
    EXPECT_EQ(taken(limiter, kStart, 1000), 1000U);
}

TEST(RateLimited, BeginsWithAFullBucket) {
    RateLimiter limiter;
    limiter.set(10, 5);
    EXPECT_EQ(taken(limiter, kStart, 100), 5U);
}

TEST(RateLimited, GivesOneBackPerInterval) {
    RateLimiter limiter;
    limiter.set(10, 5);
    taken(limiter, kStart, 5);
    EXPECT_EQ(taken(limiter, kStart + 99ms, 1), 0U);
    EXPECT_EQ(taken(limiter, kStart + 100ms, 2), 1U);
    EXPECT_EQ(taken(limiter, kStart + 400ms, 9), 3U);
}

TEST(RateLimited, HoldsNoMoreThanABurst) {
    RateLimiter limiter;
    limiter.set(10, 5);
    taken(limiter, kStart, 5);
    EXPECT_EQ(taken(limiter, kStart + 1h, 100), 5U);
}

TEST(RateLimited, KeepsTheRateOverTime) {
    RateLimiter limiter;
    limiter.set(1000, 10);
    std::size_t count = 0;
    for (int ms = 0; ms < 2000; ++ms) {
        count += taken(limiter, kStart + std::chrono::milliseconds{ms}, 3);
    }
    EXPECT_EQ(count, 2000U + 9U);
}

}  // namespace
}  // namespace berth::base
