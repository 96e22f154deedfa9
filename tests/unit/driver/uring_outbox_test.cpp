// SPDX-License-Identifier: MIT
//
// Batch: what send_soon has taken stays within the memory that there is for it.

#include "driver/uring/outbox.hpp"

#include <gtest/gtest.h>

namespace berth::driver::uring {
namespace {

TEST(Batch, HasRoomForSoManyBytes) {
    Batch batch;
    ASSERT_TRUE(batch.has_room(Batch::kArea));
    batch.place(Batch::kArea - 1);
    EXPECT_TRUE(batch.has_room(1));
    EXPECT_FALSE(batch.has_room(2));
    batch.clear();
    EXPECT_TRUE(batch.has_room(Batch::kArea));
}

TEST(Batch, PlacesOneBehindTheOther) {
    Batch batch;
    const std::byte* const first = batch.place(10);
    EXPECT_EQ(batch.place(1), first + 10);
}

// The ring may be submitted, and have room again, while the batch still fills.
TEST(Batch, TakesSoManyLetters) {
    Batch batch;
    const Stream stream;
    for (std::uint32_t entry = 0; entry < Batch::kLettersMax; ++entry) {
        ASSERT_TRUE(batch.takes_letters()) << entry;
        batch.add(stream, {}, entry);
    }
    EXPECT_FALSE(batch.takes_letters());
}

TEST(Batch, TakesNoLettersOnceItIsSealedUntilItIsCleared) {
    Batch batch;
    batch.seal();
    EXPECT_FALSE(batch.takes_letters());
    batch.clear();
    EXPECT_TRUE(batch.takes_letters());
}

TEST(Batch, FindsTheLatestLetterOfAStream) {
    Batch batch;
    const Stream one;
    const Stream other;
    batch.add(one, {}, 10);
    batch.add(one, {}, 11);
    batch.add(other, {}, 12);
    EXPECT_EQ(batch.last_of(one)->entry, 11U);
    batch.clear();
    EXPECT_EQ(batch.last_of(one), nullptr);
    EXPECT_TRUE(batch.is_empty());
}

}  // namespace
}  // namespace berth::driver::uring
