// SPDX-License-Identifier: MIT
//
// Buffer: copies and adopts, shares without a copy, and lives until its last holder goes. That
// nothing leaks or is used after its end is for AddressSanitizer to see.

#include <berth/buffer.hpp>

#include <berth/bytes.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {
namespace {

std::string_view text_of(const Buffer& buffer) { return as_text(buffer.bytes()); }

const std::string kLong(1000, 'x');  // longer than any string keeps inside itself

TEST(Buffer, IsEmptyByDefault) {
    const Buffer buffer;
    EXPECT_TRUE(buffer.empty());
    EXPECT_TRUE(buffer.share().empty());
    EXPECT_TRUE(Buffer::copy_of("").empty());
    EXPECT_TRUE(Buffer::adopt(std::string()).empty());
}

TEST(Buffer, CopiesWhatItIsMadeFrom) {
    std::string text = "hello";
    const Buffer buffer = Buffer::copy_of(text);
    text = "other";
    EXPECT_EQ(text_of(buffer), "hello");
    EXPECT_EQ(buffer.size(), 5u);
}

TEST(Buffer, AdoptsALongStringWhereItIs) {
    std::string text = kLong;
    const void* bytes = text.data();
    const Buffer buffer = Buffer::adopt(std::move(text));
    EXPECT_EQ(buffer.bytes().data(), bytes);
    EXPECT_EQ(text_of(buffer), kLong);
}

TEST(Buffer, AdoptsAShortString) {
    EXPECT_EQ(text_of(Buffer::adopt(std::string("short"))), "short");
}

TEST(Buffer, AdoptsAVectorWhereItIs) {
    std::vector<std::byte> bytes(3, std::byte{'v'});
    const void* place = bytes.data();
    const Buffer buffer = Buffer::adopt(std::move(bytes));
    EXPECT_EQ(buffer.bytes().data(), place);
    EXPECT_EQ(text_of(buffer), "vvv");
}

TEST(Buffer, SharesItsBytesWithoutACopy) {
    Buffer original = Buffer::copy_of("shared");
    const Buffer other = original.share();
    EXPECT_EQ(other.bytes().data(), original.bytes().data());

    original = Buffer();
    EXPECT_EQ(text_of(other), "shared") << "the block lives on";
}

TEST(Buffer, DropsAPrefixOfItsOwnViewOnly) {
    const Buffer whole = Buffer::copy_of("hello world");
    Buffer part = whole.share();
    part.remove_prefix(6);
    EXPECT_EQ(text_of(part), "world");
    EXPECT_EQ(text_of(part.share()), "world");
    EXPECT_EQ(text_of(whole), "hello world");
    part.remove_prefix(5);
    EXPECT_TRUE(part.empty());
}

TEST(Buffer, LeavesAMovedOneEmpty) {
    Buffer from = Buffer::copy_of("moved");
    const Buffer to = std::move(from);
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the promise
    EXPECT_EQ(text_of(to), "moved");
}

TEST(Buffer, SurvivesAssignmentToItself) {
    Buffer buffer = Buffer::copy_of("same");
    Buffer& same = buffer;
    buffer = std::move(same);
    EXPECT_EQ(text_of(buffer), "same");
}

TEST(BufferDeathTest, AbortsWhenMoreIsRemovedThanIsThere) {
    Buffer buffer = Buffer::copy_of("abc");
    EXPECT_DEATH(buffer.remove_prefix(4), "only bytes that are there are removed");
}

}  // namespace
}  // namespace berth
