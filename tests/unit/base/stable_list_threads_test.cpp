// SPDX-License-Identifier: MIT
//
// StableList between threads: nobody loses a place, and what is seen is whole.

#include "base/stable_list.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace berth::base {
namespace {

TEST(StableListBetweenThreads, EachItemIsSeenWholeAndStays) {
    constexpr std::size_t kThreads = 4;
    constexpr std::size_t kEach = 200;
    StableList<std::size_t, kThreads * kEach> list;
    std::atomic<bool> done{false};
    std::atomic<std::size_t> torn{0};
    std::jthread reader([&] {
        while (!done) {
            for (std::size_t i = 0; i < list.size(); ++i) {
                if (list[i] == 0) ++torn;
            }
        }
    });
    {
        std::vector<std::jthread> writers;
        for (std::size_t thread = 0; thread < kThreads; ++thread) {
            writers.emplace_back([&list, thread] {
                for (std::size_t i = 0; i < kEach; ++i) {
                    const std::size_t value = 1 + thread * kEach + i;
                    const auto place = list.append(std::make_shared<std::size_t>(value));
                    EXPECT_TRUE(place && list[*place] == value);
                }
            });
        }
    }
    done = true;
    reader.join();
    EXPECT_EQ(torn, 0U);
    std::set<std::size_t> all;
    for (std::size_t i = 0; i < list.size(); ++i) all.insert(list[i]);
    EXPECT_EQ(all.size(), kThreads * kEach);
    EXPECT_FALSE(list.append(std::make_shared<std::size_t>(1))) << "it is full";
}

TEST(StableListBetweenThreads, CanBeUsedAgainAfterClear) {
    StableList<int, 2> list;
    EXPECT_EQ(list.append(std::make_shared<int>(1)), 0U);
    EXPECT_EQ(list.append(std::make_shared<int>(2)), 1U);
    list.clear();
    EXPECT_EQ(list.size(), 0U);
    EXPECT_EQ(list.append(std::make_shared<int>(3)), 0U);
    EXPECT_EQ(list[0], 3);
}

}  // namespace
}  // namespace berth::base
