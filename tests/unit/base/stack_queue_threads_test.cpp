// SPDX-License-Identifier: MIT
//
// StackQueue between threads: nothing is lost or doubled, each pusher's order is kept, and the
// answers of push are enough to wake the consumer.
//
// Method: the consumer sleeps on a semaphore that only a push onto an empty queue releases; a
// wake-up that was missing would leave it asleep, which the runner's timeout reports.

#include "base/stack_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <semaphore>
#include <thread>
#include <vector>

namespace berth::base {
namespace {

constexpr std::size_t kPushers = 4;
constexpr std::size_t kPushes = 20'000;

struct Node {
    Node* next = nullptr;
    std::size_t pusher = 0;
    std::size_t number = 0;
};

class PushedFromManyThreads : public testing::Test {
protected:
    void push_everything(std::size_t pusher) {
        for (std::size_t number = 0; number < kPushes; ++number) {
            Node& node = nodes[pusher * kPushes + number];
            node.pusher = pusher;
            node.number = number;
            if (queue.push(node) == Pushed::first) wake.release();
        }
    }

    // How many were taken in.
    std::size_t push_until_refused(std::size_t pusher) {
        std::size_t number = 0;
        while (number < kPushes &&
               queue.push(nodes[pusher * kPushes + number]) != Pushed::refused) {
            ++number;
        }
        return number;
    }

    template <class Push>
    static std::vector<std::jthread> start(Push push) {
        std::vector<std::jthread> pushers;
        pushers.reserve(kPushers);
        for (std::size_t pusher = 0; pusher < kPushers; ++pusher) {
            pushers.emplace_back(push, pusher);
        }
        return pushers;
    }

    // One wake-up's worth of nodes; every pusher's must come in the order of its pushes.
    std::size_t take_in_order() {
        wake.acquire();
        std::size_t taken = 0;
        for (const Node* node = queue.take_all(); node != nullptr; node = node->next) {
            EXPECT_EQ(node->number, next[node->pusher]++);
            ++taken;
        }
        return taken;
    }

    StackQueue<Node> queue;
    std::counting_semaphore<> wake{0};
    std::vector<Node> nodes{kPushers * kPushes};
    std::array<std::size_t, kPushers> next{};
};

TEST_F(PushedFromManyThreads, LosesNothingAndKeepsEachPushersOrder) {
    const auto pushers = start([this](std::size_t pusher) { push_everything(pusher); });
    std::size_t taken = 0;
    while (taken < nodes.size()) taken += take_in_order();
    EXPECT_EQ(taken, nodes.size());
    EXPECT_EQ(queue.take_all(), nullptr);
}

TEST_F(PushedFromManyThreads, LeavesNoNodeBehindWhenItIsClosed) {
    std::atomic<std::size_t> accepted{0};
    auto pushers = start([&](std::size_t pusher) { accepted += push_until_refused(pusher); });
    while (queue.empty()) std::this_thread::yield();
    std::size_t taken = 0;
    for (const Node* node = queue.close(); node != nullptr; node = node->next) ++taken;

    pushers.clear();  // joins them
    EXPECT_EQ(taken, accepted);
}

}  // namespace
}  // namespace berth::base
