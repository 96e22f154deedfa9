// SPDX-License-Identifier: MIT
//
// ByteQueue: bytes come out as they went in, in one view; storage grows, is reused and goes.

#include "base/byte_queue.hpp"

#include <berth/bytes.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace berth::base {
namespace {

std::string_view text_in(const ByteQueue& queue) { return as_text(queue.view()); }

std::string filler(std::size_t size) { return std::string().append(size, '.'); }

TEST(ByteQueue, ShowsAllBytesInOneViewInTheirOrder) {
    ByteQueue queue;
    queue.append(as_bytes("hello "));
    queue.append(as_bytes("world"));
    EXPECT_EQ(text_in(queue), "hello world");
    EXPECT_EQ(queue.size(), 11u);
}

TEST(ByteQueue, ConsumesFromTheFront) {
    ByteQueue queue;
    queue.append(as_bytes("hello world"));
    queue.consume(6);
    EXPECT_EQ(text_in(queue), "world");
}

TEST(ByteQueue, OwnsNoMemoryOnceItIsTrimmedEmpty) {
    ByteQueue queue;
    EXPECT_EQ(queue.capacity(), 0u);
    queue.append({});
    EXPECT_EQ(queue.capacity(), 0u);
    queue.append(as_bytes("x"));
    EXPECT_EQ(queue.capacity(), ByteQueue::kStorageMin);
    queue.consume(1);
    queue.trim();
    EXPECT_TRUE(queue.empty());
    EXPECT_TRUE(queue.view().empty());
    EXPECT_EQ(queue.capacity(), 0u);
}

TEST(ByteQueue, KeepsItsBytesWhenItIsTrimmed) {
    ByteQueue queue;
    queue.append(as_bytes("kept"));
    queue.trim();
    EXPECT_EQ(text_in(queue), "kept");
}

TEST(ByteQueue, LeavesConsumedBytesInPlaceUntilItIsTrimmed) {
    ByteQueue queue;
    queue.append(as_bytes("hello world"));
    const std::string_view view = text_in(queue);
    queue.consume(11);
    EXPECT_EQ(view, "hello world");
    EXPECT_TRUE(queue.empty());
}

TEST(ByteQueue, DoublesItsStorage) {
    ByteQueue queue;
    queue.append(as_bytes(filler(1024)));
    EXPECT_EQ(queue.capacity(), 1024u);
    queue.append(as_bytes("x"));
    EXPECT_EQ(queue.capacity(), 2048u);
    queue.append(as_bytes(filler(5000)));
    EXPECT_EQ(queue.capacity(), 8192u);
}

TEST(ByteQueue, MovesTheRestToTheFrontOnceHalfIsConsumed) {
    ByteQueue queue;
    queue.append(as_bytes(filler(500) + "the rest"));
    queue.append(as_bytes(filler(492)));
    queue.consume(500);
    queue.append(as_bytes(filler(524)));
    EXPECT_EQ(queue.capacity(), 1024u);
    EXPECT_EQ(queue.size(), 1024u);
    EXPECT_TRUE(text_in(queue).starts_with("the rest"));
}

TEST(ByteQueue, GrowsWhenMovingTheRestWouldNotMakeRoom) {
    ByteQueue queue;
    queue.append(as_bytes(filler(1000)));
    queue.consume(500);
    queue.append(as_bytes(filler(525)));
    EXPECT_EQ(queue.capacity(), 2048u);
    EXPECT_EQ(queue.size(), 1025u);
}

TEST(ByteQueue, GrowsWhenLittleIsConsumedEvenIfMovingWouldDo) {
    ByteQueue queue;
    queue.append(as_bytes(filler(1000)));
    queue.consume(100);
    queue.append(as_bytes(filler(50)));
    EXPECT_EQ(queue.capacity(), 2048u) << "else a queue that is nearly full moves at every append";
}

TEST(ByteQueue, AgreesWithAStringOverManyRandomSteps) {
    constexpr unsigned kSeed = 20'240'601;
    std::mt19937 random(kSeed);
    ByteQueue queue;
    std::string model;
    for (int step = 0; step < 20'000; ++step) {
        if (random() % 2 == 0) {
            const std::string bytes(random() % 700, static_cast<char>('a' + random() % 26));
            queue.append(as_bytes(bytes));
            model += bytes;
        } else {
            const std::size_t count = random() % (model.size() + 1);
            queue.consume(count);
            model.erase(0, count);
            if (random() % 2 == 0) queue.trim();
        }
        ASSERT_EQ(text_in(queue), model) << "seed " << kSeed << ", step " << step;
    }
}

TEST(ByteQueueDeathTest, AbortsWhenMoreIsConsumedThanIsThere) {
    ByteQueue queue;
    queue.append(as_bytes("abc"));
    EXPECT_DEATH(queue.consume(4), "only bytes that are there are consumed");
}

}  // namespace
}  // namespace berth::base
