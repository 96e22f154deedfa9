// SPDX-License-Identifier: MIT
//
// Batch: what send_soon has taken stays within the memory that there is for it.

#include "driver/uring/outbox.hpp"

#include <gtest/gtest.h>

namespace berth::driver::uring {
namespace {

TEST(Batch, HasRoomForSoManyBytes) {
    Batch batch;
    const Stream stream;
    ASSERT_TRUE(batch.has_room(Batch::kArea));
    batch.add(stream, Batch::kArea - 1, 0);
    EXPECT_TRUE(batch.has_room(1));
    EXPECT_FALSE(batch.has_room(2));
}

// The ring may be submitted, and have room again, while the batch still fills.
TEST(Batch, HasRoomForSoManyLetters) {
    Batch batch;
    const Stream stream;
    for (std::uint32_t entry = 0; entry < Batch::kLettersMax; ++entry) {
        ASSERT_TRUE(batch.has_room(1)) << entry;
        batch.add(stream, 1, entry);
    }
    EXPECT_FALSE(batch.has_room(1));
}

TEST(Batch, HasNoRoomOnceItIsSealedUntilItIsCleared) {
    Batch batch;
    batch.seal();
    EXPECT_FALSE(batch.has_room(1));
    batch.clear();
    EXPECT_TRUE(batch.has_room(Batch::kArea));
}

TEST(Batch, FindsTheLatestLetterOfAStream) {
    Batch batch;
    const Stream one;
    const Stream other;
    batch.add(one, 1, 10);
    batch.add(one, 1, 11);
    batch.add(other, 1, 12);
    EXPECT_EQ(batch.last_of(one)->entry, 11U);
    batch.clear();
    EXPECT_EQ(batch.last_of(one), nullptr);
}

}  // namespace
}  // namespace berth::driver::uring
