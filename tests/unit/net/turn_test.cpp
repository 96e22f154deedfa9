// SPDX-License-Identifier: MIT
//
// Turn: how much of what a handler writes is gathered for one send.

#include "net/turn.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

namespace berth::net {
namespace {

bool write(Turn& turn, Bytes bytes) {
    std::byte* const place = turn.append(bytes.size());
    if (place == nullptr) return false;
    std::memcpy(place, bytes.data(), bytes.size());
    return true;
}

std::string text_of(std::size_t size) { return std::string(size, 'x'); }

TEST(Turn, GathersWritesInTheirOrder) {
    Turn turn(100);
    EXPECT_TRUE(write(turn, as_bytes("one ")));
    EXPECT_TRUE(write(turn, as_bytes("two")));
    EXPECT_EQ(as_text(turn.written()), "one two");
    turn.clear();
    EXPECT_TRUE(turn.written().empty());
}

TEST(Turn, TakesAWriteWholeOrNotAtAll) {
    Turn turn(10);
    EXPECT_TRUE(write(turn, as_bytes("seven..")));
    EXPECT_FALSE(write(turn, as_bytes("four")));
    EXPECT_EQ(as_text(turn.written()), "seven..");
    EXPECT_TRUE(write(turn, as_bytes("..3")));
}

TEST(Turn, LeavesLongWritesWhereTheyAre) {
    Turn turn(Turn::kAreaBytes);
    EXPECT_FALSE(write(turn, as_bytes(text_of(Turn::kCopiedMax + 1))));
    EXPECT_TRUE(write(turn, as_bytes(text_of(Turn::kCopiedMax))));
}

TEST(Turn, GathersNoMoreThanItsAreaWhateverTheLimit) {
    Turn turn(2 * Turn::kAreaBytes);
    const std::string piece = text_of(Turn::kCopiedMax);
    for (std::size_t i = 0; i < Turn::kAreaBytes / Turn::kCopiedMax; ++i) {
        EXPECT_TRUE(write(turn, as_bytes(piece)));
    }
    EXPECT_FALSE(write(turn, as_bytes("x")));
    EXPECT_EQ(turn.written().size(), Turn::kAreaBytes);
}

TEST(Turn, ShowsWhatIsLeftToRead) {
    Turn turn(1);
    turn.begin(nullptr, as_bytes("read me"));
    turn.consume(5);
    EXPECT_EQ(as_text(turn.unread()), "me");
    turn.drop_unread();
    EXPECT_TRUE(turn.unread().empty());
}

TEST(Turn, BelongsToNobodyBetweenCallbacks) {
    Turn turn(1);
    EXPECT_TRUE(turn.is_idle());
    EXPECT_EQ(turn.callback(), Callback::none);
}

TEST(Callbacks, HaveANameEach) {
    std::set<std::string_view> names;
    constexpr auto kCount = static_cast<std::size_t>(Callback::completion) + 1;
    for (std::size_t i = 0; i < kCount; ++i) names.insert(to_string(static_cast<Callback>(i)));
    EXPECT_EQ(names.size(), kCount);
    EXPECT_EQ(names.count(""), 0U);
}

TEST(Turn, LeavesWhatIsEmptyToOthers) {
    Turn turn(Turn::kAreaBytes);
    EXPECT_FALSE(write(turn, Bytes{}));
    EXPECT_TRUE(turn.written().empty());
}

TEST(Turn, SendsBackWhatIsUnreadFromWhereItLies) {
    Turn turn(100);
    const std::string input = "echo me, and more";
    turn.begin(nullptr, as_bytes(input));
    EXPECT_TRUE(turn.send_back(turn.unread().first(7)));
    EXPECT_EQ(turn.written().data(), turn.unread().data());
    EXPECT_EQ(as_text(turn.written()), "echo me");
}

TEST(Turn, KeepsWhatIsSentBackInFrontOfWhatFollows) {
    Turn turn(100);
    const std::string input = "first";
    turn.begin(nullptr, as_bytes(input));
    EXPECT_TRUE(turn.send_back(turn.unread()));
    EXPECT_FALSE(write(turn, as_bytes(", second")));
    turn.gather();
    EXPECT_TRUE(write(turn, as_bytes(", second")));
    EXPECT_EQ(as_text(turn.written()), "first, second");
}

TEST(Turn, SendsBackOnlyWhatIsUnreadFromItsBeginningAndBeforeAnythingElse) {
    Turn turn(100);
    const std::string input = "input";
    turn.begin(nullptr, as_bytes(input));
    EXPECT_FALSE(turn.send_back(as_bytes("other")));
    EXPECT_FALSE(turn.send_back(turn.unread().subspan(1)));
    EXPECT_TRUE(write(turn, as_bytes("before")));
    EXPECT_FALSE(turn.send_back(turn.unread()));
    EXPECT_EQ(as_text(turn.written()), "before");
}

TEST(Turn, SendsNothingBackThatIsAboveItsLimit) {
    Turn turn(4);
    const std::string input = "five!";
    turn.begin(nullptr, as_bytes(input));
    EXPECT_FALSE(turn.send_back(turn.unread()));
}

TEST(Turn, WritesToItsOwnAreaAgainAfterItHasSentBack) {
    Turn turn(100);
    const std::string input = "input";
    turn.begin(nullptr, as_bytes(input));
    EXPECT_TRUE(turn.send_back(turn.unread()));
    turn.clear();
    EXPECT_TRUE(write(turn, as_bytes("output")));
    EXPECT_EQ(as_text(turn.written()), "output");
    EXPECT_EQ(input, "input");
}

}  // namespace
}  // namespace berth::net
