// SPDX-License-Identifier: MIT
//
// Conversation and Pattern: every way in which an echo can be wrong is noticed.

#include "conversation.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <vector>

namespace {

using berth::Bytes;
using berth::Instant;
using namespace berth::app;
using namespace std::chrono_literals;

constexpr Instant kStart{100s};

std::vector<std::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

class ConversationTest : public testing::Test {
protected:
    bool hear(Conversation& talk, Bytes bytes, Instant now = kStart) {
        return talk.hear(bytes, now, latencies);
    }

    Pattern pattern{7, 100};
    Histogram latencies;
};

TEST_F(ConversationTest, AcceptsItsOwnBytesInPiecesOfAnySize) {
    Conversation talk(pattern, 0, {.size = 100, .depth = 2});
    const auto first = copy(talk.ask(kStart));
    const auto second = copy(talk.ask(kStart));
    EXPECT_FALSE(talk.may_ask());

    EXPECT_TRUE(hear(talk, Bytes{first}.first(99)));
    EXPECT_TRUE(talk.is_inside_answer());
    EXPECT_EQ(talk.unanswered(), 2u);
    EXPECT_TRUE(hear(talk, Bytes{first}.last(1)));
    EXPECT_FALSE(talk.is_inside_answer());
    EXPECT_TRUE(talk.may_ask());
    EXPECT_TRUE(hear(talk, second));
    EXPECT_EQ(talk.answered(), 2u);
    EXPECT_EQ(latencies.count(), 2u);
}

TEST_F(ConversationTest, NoticesAChangedByte) {
    Conversation talk(pattern, 0, {.size = 100, .depth = 1});
    auto answer = copy(talk.ask(kStart));
    answer[63] ^= std::byte{1};
    EXPECT_FALSE(hear(talk, answer));
}

TEST_F(ConversationTest, NoticesAnAnswerGivenTwice) {
    Conversation talk(pattern, 0, {.size = 100, .depth = 2});
    const auto first = copy(talk.ask(kStart));
    static_cast<void>(talk.ask(kStart));
    EXPECT_TRUE(hear(talk, first));
    EXPECT_FALSE(hear(talk, first));
}

TEST_F(ConversationTest, NoticesTheAnswerOfAnotherConnection) {
    Conversation mine(pattern, 0, {.size = 100, .depth = 1});
    Conversation other(pattern, 1, {.size = 100, .depth = 1});
    static_cast<void>(mine.ask(kStart));
    EXPECT_FALSE(hear(mine, other.ask(kStart)));
}

TEST_F(ConversationTest, NoticesBytesThatNobodyAskedFor) {
    Conversation talk(pattern, 0, {.size = 100, .depth = 1});
    EXPECT_FALSE(hear(talk, pattern.at(0, 0, 1)));
}

TEST_F(ConversationTest, CountsLatencyFromTheIntendedInstant) {
    Conversation talk(pattern, 0, {.size = 10, .depth = 1});
    const auto answer = copy(talk.ask(kStart));
    EXPECT_TRUE(hear(talk, answer, kStart + 5ms));
    EXPECT_EQ(latencies.max(), 5ms);
}

TEST_F(ConversationTest, KeepsAskingForLongerThanThePatternIs) {
    Conversation talk(pattern, 3, {.size = 100, .depth = 1});
    for (std::size_t request = 0; request < 2 * Pattern::kPeriod / 100; ++request) {
        ASSERT_TRUE(hear(talk, copy(talk.ask(kStart))));
    }
}

TEST(Pattern, GivesEachConnectionAPlaceOfItsOwn) {
    const Pattern pattern(1, 1);
    std::set<const std::byte*> places;
    for (std::uint64_t ordinal = 0; ordinal < 10'000; ++ordinal) {
        places.insert(pattern.at(ordinal, 0, 1).data());
    }
    EXPECT_EQ(places.size(), 10'000u);
}

TEST(Pattern, DependsOnTheSeed) {
    const Pattern one(1, 64);
    const Pattern two(2, 64);
    EXPECT_TRUE(one.matches(0, 0, Pattern(1, 64).at(0, 0, 64)));
    EXPECT_FALSE(one.matches(0, 0, two.at(0, 0, 64)));
}

}  // namespace
