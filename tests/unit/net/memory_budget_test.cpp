// SPDX-License-Identifier: MIT
//
// MemoryBudget: what loops lease, keep in reserve, and give back.

#include "net/memory_budget.hpp"

#include <gtest/gtest.h>

namespace berth::net {
namespace {

constexpr std::size_t kMax = std::size_t{1} << 20U;
constexpr std::size_t kBlock = kMax / 256;

struct Leases : testing::Test {
    Leases() {
        budget.set_max(kMax);
        first.begin();
        second.begin();
    }

    MemoryBudget budget;
    MemoryLease first{budget};
    MemoryLease second{budget};
};

TEST_F(Leases, TakeWholeBlocks) {
    first.add(1);
    EXPECT_FALSE(first.is_exhausted());
    EXPECT_TRUE(budget.take(kMax - kBlock));
    EXPECT_FALSE(budget.take(1));
}

TEST_F(Leases, HaveNoMoreTogetherThanTheBudget) {
    first.add(kMax / 2);
    second.add(kMax / 2);
    EXPECT_FALSE(first.is_exhausted());
    EXPECT_FALSE(second.is_exhausted());
    EXPECT_FALSE(first.has_room(kBlock));
    second.add(kBlock);
    EXPECT_TRUE(second.is_exhausted());
    second.sub(kBlock);
    EXPECT_FALSE(second.is_exhausted());
}

TEST_F(Leases, GiveBackAllButAReserve) {
    first.add(kMax);
    EXPECT_FALSE(second.has_room(1));
    first.sub(kMax);
    EXPECT_TRUE(second.has_room(kMax - 4 * kBlock));
}

TEST_F(Leases, NeverLeakWhateverIsTakenAndGiven) {
    for (std::size_t round = 0; round < 1'000; ++round) {
        const std::size_t bytes = round * 7919 % (kMax / 2);
        first.add(bytes);
        second.add(bytes / 3);
        first.sub(bytes);
        second.sub(bytes / 3);
    }
    EXPECT_EQ(first.used(), 0U);
    EXPECT_TRUE(first.has_room(kMax - 8 * kBlock));
}

TEST_F(Leases, AskingForRoomTakesNothing) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(first.has_room(kMax / 2));
    EXPECT_TRUE(second.has_room(kMax - 8 * kBlock));
}

TEST_F(Leases, AreShortFromThreeQuartersOn) {
    first.add(kMax / 2);
    EXPECT_FALSE(first.is_short());
    second.add(kMax / 4 + kBlock);
    EXPECT_TRUE(first.is_short());
    EXPECT_TRUE(second.is_short());
}

TEST(MemoryBudget, WithoutABoundIsNeverShortNorExhausted) {
    MemoryBudget budget;
    budget.set_max(0);
    MemoryLease lease(budget);
    lease.begin();
    lease.add(std::size_t{1} << 40U);
    EXPECT_FALSE(lease.is_exhausted());
    EXPECT_FALSE(lease.is_short());
    EXPECT_TRUE(lease.has_room(std::size_t{1} << 40U));
    lease.sub(std::size_t{1} << 40U);
    EXPECT_EQ(lease.used(), 0U);
}

}  // namespace
}  // namespace berth::net
