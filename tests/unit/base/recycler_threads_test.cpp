// SPDX-License-Identifier: MIT
//
// Recycler between threads: nobody gets an object that somebody else has, and few are made.

#include "base/recycler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <set>
#include <thread>
#include <vector>

namespace berth::base {
namespace {

struct Object {
    static inline std::atomic<std::size_t> made = 0;
    Object() { ++made; }

    std::atomic<bool> in_use = false;
};

TEST(RecycledBetweenThreads, EachObjectHasOneUserAtATime) {
    constexpr std::size_t kThreads = 4;
    constexpr std::size_t kHeld = 16;
    constexpr std::size_t kRounds = 2'000;
    std::atomic<std::size_t> shared_use = 0;
    {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&] {
                std::array<Object*, kHeld> held{};
                for (std::size_t round = 0; round < kRounds; ++round) {
                    for (Object*& each : held) {
                        each = Recycler<Object>::take();
                        if (each->in_use.exchange(true)) ++shared_use;
                    }
                    for (Object* each : held) {
                        each->in_use = false;
                        Recycler<Object>::give_back(each);
                    }
                }
            });
        }
    }
    EXPECT_EQ(shared_use, 0U);
    EXPECT_LT(Object::made, kThreads * kRounds * kHeld / 100) << "most were used again";
}

struct Kept {
    std::size_t number = 0;
};

TEST(RecycledBetweenThreads, WhatAThreadKeptIsThereForTheNextOne) {
    std::set<Kept*> before;
    std::set<Kept*> after;
    const auto take_and_give_back = [](std::set<Kept*>& seen) {
        for (int i = 0; i < 10; ++i) seen.insert(Recycler<Kept>::take());
        for (Kept* each : seen) Recycler<Kept>::give_back(each);
        Recycler<Kept>::give_back(Recycler<Kept>::take());  // the others are this thread's now
    };
    std::jthread([&] { take_and_give_back(before); }).join();
    std::jthread([&] { take_and_give_back(after); }).join();
    EXPECT_EQ(before, after);
}

struct Pinned {
    std::size_t number = 0;
};

// Its block waits for it; all others go round.
TEST(RecycledBetweenThreads, WhatIsKeptHoldsBackNoOtherBlock) {
    using Pool = Recycler<Pinned>;
    constexpr std::size_t kBlocks = 8;
    std::vector<Pinned*> taken;
    for (std::size_t i = 0; i < kBlocks * Pool::kBlockObjects; ++i) taken.push_back(Pool::take());
    Pinned* const kept = taken.front();
    std::jthread([&] {
        for (Pinned* each : taken) {
            if (each != kept) Pool::give_back(each);
        }
    }).join();
    const std::set<Pinned*> before(taken.begin(), taken.end());
    std::set<Pinned*> again;
    for (std::size_t i = 0; i < (kBlocks - 1) * Pool::kBlockObjects; ++i)
        again.insert(Pool::take());
    EXPECT_FALSE(again.contains(kept));
    EXPECT_TRUE(std::ranges::includes(before, again)) << "no new ones were made";
    for (Pinned* each : again) Pool::give_back(each);
    Pool::give_back(kept);
}

}  // namespace
}  // namespace berth::base
