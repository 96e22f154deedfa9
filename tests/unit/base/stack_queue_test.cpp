// SPDX-License-Identifier: MIT
//
// StackQueue on one thread: order, the answers of push, closing. See stack_queue_threads_test.cpp
// for the rest.

#include "base/stack_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace berth::base {
namespace {

struct Node {
    Node* next = nullptr;
    int value = 0;
};

std::vector<int> values(const Node* oldest) {
    std::vector<int> found;
    for (; oldest != nullptr; oldest = oldest->next) found.push_back(oldest->value);
    return found;
}

TEST(StackQueue, GivesNodesOutInTheOrderOfPushing) {
    std::array<Node, 3> nodes{Node{.value = 1}, Node{.value = 2}, Node{.value = 3}};
    StackQueue<Node> queue;
    for (Node& node : nodes) EXPECT_NE(queue.push(node), Pushed::refused);
    EXPECT_EQ(values(queue.take_all()), (std::vector{1, 2, 3}));
}

TEST(StackQueue, SaysWhichPushFoundItEmpty) {
    std::array<Node, 3> nodes;
    StackQueue<Node> queue;
    EXPECT_EQ(queue.push(nodes[0]), Pushed::first);
    EXPECT_EQ(queue.push(nodes[1]), Pushed::behind);
    queue.take_all();
    EXPECT_EQ(queue.push(nodes[2]), Pushed::first);
}

TEST(StackQueue, IsEmptyUntilAPushAndAfterATake) {
    Node node;
    StackQueue<Node> queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.push(node), Pushed::first);
    EXPECT_FALSE(queue.empty());
    queue.take_all();
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.take_all(), nullptr);
}

TEST(StackQueue, TakesANodeAgainThatWasTakenOut) {
    Node node{.value = 7};
    StackQueue<Node> queue;
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(queue.push(node), Pushed::first);
        EXPECT_EQ(values(queue.take_all()), (std::vector{7}));
    }
}

TEST(StackQueue, RefusesNodesOnceClosed) {
    Node before{.value = 1};
    Node after{.value = 2};
    StackQueue<Node> queue;
    EXPECT_EQ(queue.push(before), Pushed::first);
    EXPECT_EQ(values(queue.close()), (std::vector{1}));
    EXPECT_EQ(queue.push(after), Pushed::refused);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.close(), nullptr);
}

TEST(StackQueue, TakesNodesAgainOnceReopened) {
    Node node{.value = 3};
    StackQueue<Node> queue;
    queue.close();
    queue.reopen();
    EXPECT_EQ(queue.push(node), Pushed::first);
    EXPECT_EQ(values(queue.take_all()), (std::vector{3}));
}

}  // namespace
}  // namespace berth::base
