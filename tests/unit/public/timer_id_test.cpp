// SPDX-License-Identifier: MIT
//
// TimerId: a value that names one timer, or none.

#include <berth/timer_id.hpp>

#include <gtest/gtest.h>

#include <unordered_set>

namespace berth {
namespace {

TEST(TimerId, NamesNothingByDefault) {
    EXPECT_FALSE(TimerId());
    EXPECT_EQ(TimerId().value(), 0U);
}

TEST(TimerId, HoldsItsLoopAndItsNumber) {
    constexpr TimerId id(255, (std::uint64_t{1} << 56U) - 1);
    static_assert(id.loop() == 255);
    static_assert(id.number() == (std::uint64_t{1} << 56U) - 1);
    static_assert(id);
}

TEST(TimerId, FirstOfTheFirstLoopIsValid) { EXPECT_TRUE(TimerId(0, 1)); }

TEST(TimerId, IsAKey) {
    const std::unordered_set<TimerId> ids{TimerId(0, 1), TimerId(1, 1), TimerId(0, 1)};
    EXPECT_EQ(ids.size(), 2U);
}

}  // namespace
}  // namespace berth
