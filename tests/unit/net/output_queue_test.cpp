// SPDX-License-Identifier: MIT
//
// OutputQueue: what goes in comes out, in order, in place, and from recycled memory.

#include "net/output_queue.hpp"

#include "support/allocations.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace berth::net {
namespace {

class AnOutputQueue : public testing::Test {
protected:
    std::string front(std::size_t slices = kSlicesPerSend) const {
        std::vector<Bytes> room(slices);
        std::string text;
        for (const Bytes slice : queue->front(room)) text += as_text(slice);
        return text;
    }
    std::size_t slice_count() const {
        std::array<Bytes, kSlicesPerSend> room;
        return queue->front(room).size();
    }

    OutputPool pool;
    std::unique_ptr<OutputQueue> queue = pool.take_queue();
};

TEST_F(AnOutputQueue, StartsEmpty) {
    EXPECT_TRUE(queue->empty());
    EXPECT_EQ(queue->bytes(), 0U);
    EXPECT_EQ(slice_count(), 0U);
}

TEST_F(AnOutputQueue, ShowsWhatFollowsAnyOfItsBytes) {
    queue->append(Buffer::copy_of("one"));
    queue->append(Buffer::copy_of("two"));
    EXPECT_EQ(as_text(queue->from(0)), "one");
    EXPECT_EQ(as_text(queue->from(2)), "e");
    EXPECT_EQ(as_text(queue->from(3)), "two");
    EXPECT_TRUE(queue->from(6).empty());
    queue->consume(2);
    EXPECT_EQ(as_text(queue->from(1)), "two");
}

TEST_F(AnOutputQueue, KeepsTheOrderOfCopiesAndBuffers) {
    queue->append_copy(as_bytes("one "));
    queue->append(Buffer::copy_of("two "));
    queue->append_copy(as_bytes("three "));
    queue->append_copy(as_bytes("four"));
    EXPECT_EQ(front(), "one two three four");
    EXPECT_EQ(queue->bytes(), 18U);
}

TEST_F(AnOutputQueue, SmallCopiesShareASlice) {
    for (int i = 0; i < 100; ++i) queue->append_copy(as_bytes("0123456789"));
    EXPECT_EQ(slice_count(), 1U);
    EXPECT_EQ(queue->bytes(), 1'000U);
}

TEST_F(AnOutputQueue, CopiesCrossTheEndOfAChunk) {
    std::string expected;
    for (int i = 0; i < 1'000; ++i) {
        const std::string piece = std::to_string(i) + ",";
        queue->append_copy(as_bytes(piece));
        expected += piece;
    }
    queue->append_copy(as_bytes(std::string(kChunkBytes, 'c')));
    expected += std::string(kChunkBytes, 'c');
    EXPECT_EQ(front(), expected);
}

TEST_F(AnOutputQueue, ConsumesAcrossSegmentsAndInTheMiddleOfThem) {
    queue->append_copy(as_bytes("abc"));
    queue->append(Buffer::copy_of("defg"));
    queue->append_copy(as_bytes("hi"));
    queue->consume(2);
    EXPECT_EQ(front(), "cdefghi");
    queue->consume(3);
    EXPECT_EQ(front(), "fghi");
    queue->append_copy(as_bytes("j"));
    queue->consume(4);
    EXPECT_EQ(front(), "j");
    queue->consume(1);
    EXPECT_TRUE(queue->empty());
    EXPECT_EQ(slice_count(), 0U);
}

TEST_F(AnOutputQueue, CanBeFilledAgainOnceItIsEmpty) {
    for (const char* text : {"first", "second", "third"}) {
        queue->append_copy(as_bytes(text));
        EXPECT_EQ(front(), text);
        queue->consume(queue->bytes());
    }
}

TEST_F(AnOutputQueue, EmptyBuffersAndCopiesAreNothing) {
    queue->append(Buffer());
    queue->append_copy({});
    EXPECT_EQ(slice_count(), 0U);
}

TEST_F(AnOutputQueue, FrontGivesNoMoreThanThereIsRoomFor) {
    for (const char* text : {"a", "b", "c"}) queue->append(Buffer::copy_of(text));
    EXPECT_EQ(front(2), "ab");
}

TEST_F(AnOutputQueue, WhatIsPinnedStaysInPlaceWhileMoreIsAppended) {
    queue->append_copy(as_bytes("pinned"));
    const driver::Slices& pinned = queue->pin();
    const std::byte* const where = pinned.front().data();
    for (int i = 0; i < 10'000; ++i) queue->append_copy(as_bytes("more"));
    ASSERT_EQ(pinned.size(), 1U);
    EXPECT_EQ(pinned.front().data(), where);
    EXPECT_EQ(as_text(pinned.front()), "pinned");
}

TEST_F(AnOutputQueue, SharesTheBlockOfABuffer) {
    const Buffer block = Buffer::copy_of("shared");
    queue->append(block.share());
    std::array<Bytes, 1> room;
    EXPECT_EQ(queue->front(room)[0].data(), block.bytes().data());
    queue->consume(2);
    EXPECT_EQ(as_text(block.bytes()), "shared");
}

TEST_F(AnOutputQueue, SteadyTrafficAllocatesNothing) {
    const std::vector<std::byte> chunk(kChunkBytes);
    const auto fill_and_empty = [&] {
        for (int i = 0; i < 50; ++i) queue->append_copy(as_bytes("short"));
        for (int i = 0; i < 50; ++i) queue->append_copy(chunk);
        pool.give_back(std::move(queue));
        queue = pool.take_queue();
    };
    fill_and_empty();
    const std::size_t before = test::allocations_of_this_thread();
    for (int round = 0; round < 100; ++round) fill_and_empty();
    EXPECT_EQ(test::allocations_of_this_thread(), before);
}

TEST_F(AnOutputQueue, QueueThatIsGivenBackIsEmptyWhenItIsTakenAgain) {
    queue->append_copy(as_bytes("left over"));
    queue->append(Buffer::copy_of("and more"));
    pool.give_back(std::move(queue));
    queue = pool.take_queue();
    EXPECT_TRUE(queue->empty());
    queue->append_copy(as_bytes("new"));
    EXPECT_EQ(front(), "new");
}

// ── Those who wait ───────────────────────────────────────────────────────────────────────────

struct Waiting final : WriteWaiter {
    void finished(Delivery) override {}
};

TEST(WriteWaiters, ComeOutInTheOrderInWhichTheyWentIn) {
    std::array<Waiting, 3> waiting;
    WriteWaiters line;
    for (Waiting& each : waiting) line.push(each);
    for (Waiting& each : waiting) EXPECT_EQ(line.pop(), &each);
    EXPECT_EQ(line.pop(), nullptr);
    EXPECT_TRUE(line.empty());
}

TEST(WriteWaiters, JoinTheEndOfAnotherLine) {
    std::array<Waiting, 3> waiting;
    WriteWaiters line;
    WriteWaiters other;
    line.push(waiting[0]);
    other.push(waiting[1]);
    line.take(other);
    line.push(waiting[2]);
    EXPECT_TRUE(other.empty());
    for (Waiting& each : waiting) EXPECT_EQ(line.pop(), &each);
}

}  // namespace
}  // namespace berth::net
