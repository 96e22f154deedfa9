// SPDX-License-Identifier: MIT
//
// Standstill: since when nothing has moved, and when to look again.

#include "net/time_limits.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace berth::net {
namespace {

using std::chrono::milliseconds;

constexpr Duration kLimit = milliseconds{80};
constexpr Instant kStart{std::chrono::seconds{5}};

TEST(Standstill, IsOverWhenNothingMovedForTheLimit) {
    Standstill input;
    input.look(7, kStart);
    input.look(7, kStart + milliseconds{79});
    EXPECT_FALSE(input.is_over(kLimit, kStart + milliseconds{79}));
    EXPECT_TRUE(input.is_over(kLimit, kStart + milliseconds{80}));
}

TEST(Standstill, BeginsAnewWhenSomethingMoved) {
    Standstill input;
    input.look(7, kStart);
    input.look(8, kStart + milliseconds{50});
    EXPECT_FALSE(input.is_over(kLimit, kStart + milliseconds{129}));
    EXPECT_TRUE(input.is_over(kLimit, kStart + milliseconds{130}));
}

TEST(Standstill, IsNoneWhereNothingIsWatched) {
    Standstill input;
    EXPECT_FALSE(input.is_over(kLimit, kStart + std::chrono::hours{1}));
    EXPECT_TRUE(input.next_look(kLimit, kStart).is_never());
    input.look(7, kStart);
    input.end();
    EXPECT_FALSE(input.is_over(kLimit, kStart + std::chrono::hours{1}));
    input.look(7, kStart + milliseconds{500});
    EXPECT_FALSE(input.is_over(kLimit, kStart + milliseconds{579}));
}

TEST(Standstill, IsLookedAtEveryEighthAndAtTheEnd) {
    Standstill input;
    input.look(7, kStart);
    EXPECT_EQ(input.next_look(kLimit, kStart), kStart + milliseconds{10});
    EXPECT_EQ(input.next_look(kLimit, kStart + milliseconds{75}), kStart + kLimit);
}

TEST(Standstill, WithoutALimitHasNoEnd) {
    Standstill input;
    input.look(7, kStart);
    EXPECT_FALSE(input.is_over(Duration::zero(), kStart + std::chrono::hours{1}));
    EXPECT_TRUE(input.next_look(Duration::zero(), kStart).is_never());
}

}  // namespace
}  // namespace berth::net
