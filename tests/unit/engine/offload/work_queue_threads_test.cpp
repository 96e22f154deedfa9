// SPDX-License-Identifier: MIT
//
// WorkQueue between threads: everything that was pushed comes out once.

#include "engine/offload/work_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace berth::engine::offload {
namespace {

struct Item {
    int value = 0;
    std::atomic<bool> is_sealed{false};  // as Job::seal
};

TEST(WorkQueue, GivesEachItemToOneOfManyThreads) {
    constexpr int kThreads = 3;
    constexpr int kEach = 5'000;
    WorkQueue<Item> queue;
    std::vector<Item> items(std::size_t{kThreads} * kEach);
    std::atomic<long> sum = 0;
    {
        std::vector<std::jthread> takers;
        for (int thread = 0; thread < kThreads; ++thread) {
            takers.emplace_back([&] {
                for (int left = kEach; left > 0; --left) {
                    const Item* const item = queue.pop();
                    EXPECT_TRUE(item->is_sealed.load(std::memory_order_acquire));
                    sum += item->value;
                }
            });
        }
        std::vector<std::jthread> givers;
        for (int thread = 0; thread < kThreads; ++thread) {
            givers.emplace_back([&, thread] {
                for (int i = 0; i < kEach; ++i) {
                    Item& item = items[std::size_t{static_cast<unsigned>(thread)} * kEach +
                                       static_cast<std::size_t>(i)];
                    item.value = i;
                    item.is_sealed.store(true, std::memory_order_release);
                    EXPECT_TRUE(queue.push(&item));
                }
            });
        }
    }
    EXPECT_EQ(sum, long{kThreads} * kEach * (kEach - 1) / 2);
    EXPECT_EQ(queue.pop_now(), nullptr);
}

TEST(WorkQueue, KeepsTheOrderOfOneThread) {
    WorkQueue<Item> queue;
    std::vector<Item> items(100);
    for (Item& item : items) ASSERT_TRUE(queue.push(&item));
    for (Item& item : items) EXPECT_EQ(queue.pop_now(), &item);
}

}  // namespace
}  // namespace berth::engine::offload
