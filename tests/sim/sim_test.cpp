// SPDX-License-Identifier: MIT
//
// The simulation itself: it repeats, it varies, and it notices.

#include "sim/chance.hpp"
#include "sim/findings.hpp"
#include "sim/links.hpp"
#include "sim/runs.hpp"
#include "sim/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace berth::simulation {
namespace {

std::string first_name(const Findings& findings) {
    return findings.any() ? findings.violations().front().name : "";
}

// One link of which the acceptor has sent so much.
struct Conversation {
    Findings findings{false};
    Links links{findings};
    Link& link = links.begin("tcp://127.0.0.1:1", {});

    explicit Conversation(std::uint64_t sent) { link.ends[kAcceptor].sent[kOwn] = sent; }
    void dialer_reads(Bytes bytes) {
        links.check(link, kDialer, bytes, link.ends[kDialer].received);
    }
};

TEST(Schedule, IsTheSameForTheSameSeed) {
    EXPECT_EQ(to_string(make_schedule(42)), to_string(make_schedule(42)));
    EXPECT_NE(to_string(make_schedule(42)), to_string(make_schedule(43)));
}

TEST(Schedule, KeepsTheOtherActsAsTheyWere) {
    const auto whole = make_schedule(42).acts;
    const auto kept = make_schedule(42, {.keep = std::vector<std::size_t>{0, 2}}).acts;
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(to_string(kept[0]), to_string(whole[0]));
    EXPECT_EQ(to_string(kept[1]), to_string(whole[2]));
}

TEST(Schedule, ListsItsActsInTheOrderOfTime) {
    for (std::uint64_t seed = 1; seed < 50; ++seed) {
        EXPECT_TRUE(std::ranges::is_sorted(make_schedule(seed).acts, {}, &Act::at)) << seed;
    }
}

TEST(Links, AcceptTheBytesThatWereSent) {
    Conversation conversation(100);
    const auto bytes = pattern(conversation.link, kOwn, 0, 100);
    conversation.dialer_reads(Bytes(bytes).first(30));
    conversation.dialer_reads(Bytes(bytes).subspan(30));
    EXPECT_FALSE(conversation.findings.any());
}

TEST(Links, NoticeALostByte) {
    Conversation conversation(100);
    conversation.dialer_reads(pattern(conversation.link, kOwn, 1, 50));
    EXPECT_EQ(first_name(conversation.findings), "wrong-byte");
}

TEST(Links, NoticeBytesThatNobodySent) {
    Conversation conversation(10);
    conversation.dialer_reads(pattern(conversation.link, kOwn, 0, 11));
    EXPECT_EQ(first_name(conversation.findings), "bytes-from-nowhere");
}

TEST(Links, NoticeAFinThatComesTooEarly) {
    Conversation conversation(10);
    conversation.dialer_reads(pattern(conversation.link, kOwn, 0, 9));
    conversation.links.heard_end(conversation.link, kDialer, 0);
    EXPECT_EQ(first_name(conversation.findings), "fin-after-truncation");
}

TEST(Links, TellTheTwoSourcesOfAnEndApart) {
    Conversation conversation(5);
    conversation.link.ends[kAcceptor].sent[kOutside] = 5;
    const auto outside = pattern(conversation.link, kOutside, 0, 5);
    const auto own = pattern(conversation.link, kOwn, 0, 5);
    conversation.dialer_reads(Bytes(own).first(2));
    conversation.dialer_reads(outside);
    conversation.dialer_reads(Bytes(own).subspan(2));
    EXPECT_FALSE(conversation.findings.any());
    EXPECT_EQ(conversation.link.ends[kDialer].received, (Counts{5, 5}));
}

TEST(Runs, TellTheSameStoryTwice) {
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        testing::internal::CaptureStdout();
        static_cast<void>(run_here(seed, {}, true));
        const std::string first = testing::internal::GetCapturedStdout();
        testing::internal::CaptureStdout();
        static_cast<void>(run_here(seed, {}, true));
        ASSERT_EQ(first, testing::internal::GetCapturedStdout()) << "seed " << seed;
    }
}

TEST(Runs, CoverEachSeedOfABatchOnce) {
    Batch batch;
    batch.count = 25;
    batch.jobs = 2;
    const Outcome outcome = run_batch(batch);
    EXPECT_EQ(outcome.runs, 25U);
    EXPECT_TRUE(outcome.failures.empty());
}

}  // namespace
}  // namespace berth::simulation
