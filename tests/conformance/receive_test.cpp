// SPDX-License-Identifier: MIT
//
// Receiving: every byte once and in order, the end after the last one, pauses and budgets.

#include "conformance/conformance.hpp"

#include <algorithm>
#include <cerrno>

namespace berth::conformance {
namespace {

using driver::Slices;
using driver::Stream;

class Receive : public Conformance {
protected:
    // What is there for whoever asks first.
    std::string take_from_kernel(const Stream& stream) {
        std::string all;
        std::vector<std::byte> piece(kBlockBytes);
        std::vector<driver::Descriptor> none;
        for (;;) {
            const auto part = world().system().receive_part(stream.descriptor, piece, {none, 0});
            if (!part || part->size == 0) return all;
            all += as_text(Bytes(piece).first(part->size));
        }
    }
};
class ResetStream : public Conformance {};
class Pause : public Conformance {};
class Budget : public Conformance {
protected:
    // The most that any one poll delivered of this stream.
    std::size_t most_in_a_poll(const Stream& stream) {
        std::vector<std::size_t> sums(sink().polls() + 1);
        for (const Completion& each : sink().of(stream)) sums[each.poll] += each.count;
        return std::ranges::max(sums);
    }
};

INSTANTIATE_TEST_SUITE_P(World, Receive, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, Pause, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, Budget, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, ResetStream, ::testing::ValuesIn(worlds_with_reset()),
                         name_of_world);

// 7
TEST_P(Receive, DeliversManyTimesForOneStart) {
    auto [stream, peer] = world().receiving_pair();
    for (const std::string word : {"one ", "two ", "three"}) {
        const std::size_t before = sink().bytes_of(stream).size();
        world().send_all(*peer, word);
        ASSERT_TRUE(receives(stream, before + word.size()));
    }
    EXPECT_EQ(sink().bytes_of(stream), "one two three");
}

// 7
TEST_P(Receive, DeliversWhatCameBefore) {
    auto [stream, peer] = world().pair();
    world().send_all(*peer, "early");
    ASSERT_TRUE(driver().start_receive(stream));
    ASSERT_TRUE(receives(stream, 5));
    EXPECT_EQ(sink().bytes_of(stream), "early");
}

// 7: whatever the sink does meanwhile
TEST_P(Receive, LendsBytesUntilTheSinkReturns) {
    auto [stream, peer] = world().receiving_pair();
    auto [other, other_peer] = world().receiving_pair();
    world().send_all(*other_peer, "overwritten?");
    std::string at_the_end;
    sink().on_completion = [&](const Completion& each, Bytes lent) {
        if (each.source != &stream || each.kind != Kind::received) return;
        send_small(stream, as_text(lent));
        driver().pause_receive(other);
        driver().resume_receive(other);
        at_the_end += as_text(lent);
    };
    world().send_all(*peer, "lent");
    EXPECT_EQ(world().read_all(*peer, 4), "lent");
    EXPECT_EQ(at_the_end, "lent");
}

// 7
TEST_P(Receive, LeavesWhatFollowsALongPieceToOthers) {
    auto [stream, peer] = world().receiving_pair();
    std::string got;
    std::size_t taken = 0;
    sink().on_completion = [&](const Completion& each, Bytes lent) {
        if (each.source != &stream || each.kind != Kind::received) return;
        got += as_text(lent);
        if (!driver().leaves_more(stream, lent.size())) return;
        const std::string more = take_from_kernel(stream);
        taken += more.size();
        got += more;
    };
    const std::string sent = pattern(4U << 20U);
    world().send_all(*peer, sent);
    EXPECT_TRUE(world().until([&] { return got.size() >= sent.size(); }));
    peer->end();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    EXPECT_TRUE(got == sent) << got.size() << " bytes of " << sent.size();
    EXPECT_TRUE(taken > 0 || !GetParam().leaves_more);
}

// 7
TEST_P(Receive, ServesManyStreams) {
    std::vector<Pair> pairs;
    pairs.reserve(20);
    for (int count = 0; count < 20; ++count) pairs.push_back(world().receiving_pair());
    for (std::size_t at = 0; at < pairs.size(); ++at) {
        world().send_all(*pairs[at].peer, "stream " + std::to_string(at + 10));
    }
    for (std::size_t at = 0; at < pairs.size(); ++at) {
        ASSERT_TRUE(receives(pairs[at].stream, 9));
        EXPECT_EQ(sink().bytes_of(pairs[at].stream), "stream " + std::to_string(at + 10));
    }
}

// 8, 2
TEST_P(Receive, EndsOnceAfterTheLastByte) {
    auto [stream, peer] = world().receiving_pair();
    world().send_all(*peer, "last words");
    peer->end();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    world().advance_idly();
    EXPECT_EQ(sink().bytes_of(stream), "last words");
    EXPECT_EQ(sink().all().back().kind, Kind::receive_end);
    EXPECT_EQ(sink().count_of(stream, Kind::receive_end), 1u);
    EXPECT_EQ(sink().first(stream, Kind::receive_end).errno_value, 0);
}

// 8
TEST_P(Receive, EndsAfterMoreThanTheBudget) {
    open_with({.receive_bytes = 1024, .read_budget = 2048});
    auto [stream, peer] = world().receiving_pair();
    const std::string sent = pattern(20'000);
    world().send_all(*peer, sent);
    peer->end();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    EXPECT_EQ(sink().bytes_of(stream), sent);
    EXPECT_EQ(sink().all().back().kind, Kind::receive_end);
}

// 2: the other direction is not ended
TEST_P(Receive, StillSendsAfterThePeersFin) {
    auto [stream, peer] = world().receiving_pair();
    peer->end();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    send_small(stream, "answer");
    EXPECT_EQ(world().read_all(*peer, 6), "answer");
    EXPECT_EQ(sink().all().size(), 1u);
}

// 8
TEST_P(ResetStream, EndsAfterTheLastByte) {
    auto [stream, peer] = world().receiving_pair();
    world().send_all(*peer, "cut o");
    peer->reset();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    EXPECT_EQ(sink().bytes_of(stream), "cut o");
    EXPECT_EQ(sink().first(stream, Kind::receive_end).errno_value, ECONNRESET);
}

// 8: the other direction was still open
TEST_P(ResetStream, AfterItsFinIsToldOnceMore) {
    auto [stream, peer] = world().receiving_pair();
    peer->end();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    peer->reset();
    ASSERT_TRUE(world().until([&] { return sink().count_of(stream, Kind::receive_end) == 2; }));
    world().advance_idly();
    EXPECT_EQ(sink().all().size(), 2u) << sink().to_string();
    EXPECT_EQ(sink().all().front().errno_value, 0);
    EXPECT_NE(sink().all().back().errno_value, 0);
}

// 8: the kernel may tell of both at once, and shows the FIN first
TEST_P(ResetStream, ThatCameWithItsFinIsTold) {
    auto [stream, peer] = world().receiving_pair();
    peer->end();
    peer->reset();
    ASSERT_TRUE(world().until([&] {
        const std::size_t ends = sink().count_of(stream, Kind::receive_end);
        return ends > 0 && sink().all().back().errno_value != 0;
    })) << sink().to_string();
    EXPECT_LE(sink().all().size(), 2u) << sink().to_string();
}

// 8: even where a send that waited hears of it first
TEST_P(ResetStream, IsNeverTakenForAFin) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    fill(stream);
    const Bytes slice = as_bytes("too late");
    const Slices slices{&slice, 1};
    driver().send_when_ready(stream, slices);
    peer->reset();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    ASSERT_TRUE(comes(Kind::sent, stream));
    EXPECT_EQ(sink().first(stream, Kind::receive_end).errno_value, ECONNRESET);
    EXPECT_NE(sink().first(stream, Kind::sent).errno_value, 0);
}

// 8: nor where an optimistic send did
TEST_P(ResetStream, IsNeverTakenForAFinAfterASend) {
    auto [stream, peer] = world().receiving_pair();
    world().advance();
    peer->reset();
    for (int tries = 0; tries < 1000; ++tries) {
        if (driver().send(stream, as_bytes("?")).is_failed()) break;
    }
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    EXPECT_NE(sink().first(stream, Kind::receive_end).errno_value, 0);
}

// ── Budgets ──────────────────────────────────────────────────────────────────────────────────

// 10
TEST_P(Budget, BoundsTheBytesOfAPoll) {
    open_with({.receive_bytes = 1024, .read_budget = 4096});
    auto [stream, peer] = world().receiving_pair();
    const std::string sent = pattern(40'000);
    world().send_all(*peer, sent);
    ASSERT_TRUE(receives(stream, sent.size()));
    EXPECT_LE(most_in_a_poll(stream), 4096u);
    EXPECT_EQ(sink().bytes_of(stream), sent);
}

// 6
TEST_P(Budget, SaysWhichStreamItPutOff) {
    open_with({.receive_bytes = 1024, .read_budget = 4096});
    auto [stream, peer] = world().receiving_pair();
    world().send_all(*peer, pattern(10'000));
    ASSERT_TRUE(receives(stream, 1));
    EXPECT_TRUE(driver().is_put_off(stream)) << sink().to_string();
    ASSERT_TRUE(receives(stream, 10'000));
    world().advance();
    EXPECT_FALSE(driver().is_put_off(stream));
    EXPECT_TRUE(driver().delivered_all());
}

// 10
TEST_P(Budget, NeedNotBeAMultipleOfTheBuffer) {
    open_with({.receive_bytes = 1024, .read_budget = 2500});
    auto [stream, peer] = world().receiving_pair();
    const std::string sent = pattern(40'000);
    world().send_all(*peer, sent);
    ASSERT_TRUE(receives(stream, sent.size()));
    EXPECT_LE(most_in_a_poll(stream), 2500u);
    EXPECT_EQ(sink().bytes_of(stream), sent);
}

// 10, and without a wait (6)
TEST_P(Budget, LeavesTheRestToTheNextPoll) {
    open_with({.receive_bytes = 1024, .read_budget = 1024});
    auto [stream, peer] = world().pair();
    world().send_all(*peer, pattern(3000));
    ASSERT_TRUE(driver().start_receive(stream));
    ASSERT_TRUE(receives(stream, 1024));
    EXPECT_EQ(sink().bytes_of(stream).size(), 1024u);

    EXPECT_LT(world().poll_within(test::patience()), test::patience() / 2);
    if (is_prompt()) {
        EXPECT_EQ(sink().bytes_of(stream).size(), 2048u);
    }
}

// 10: a firehose does not keep its neighbour from being heard in the same poll
TEST_P(Budget, IsPerStream) {
    open_with({.receive_bytes = 1024, .read_budget = 1024});
    auto [loud, loud_peer] = world().pair();
    auto [quiet, quiet_peer] = world().pair();
    world().send_all(*loud_peer, pattern(10'000));
    world().send_all(*quiet_peer, "excuse me");
    ASSERT_TRUE(driver().start_receive(loud));
    ASSERT_TRUE(driver().start_receive(quiet));
    ASSERT_TRUE(receives(quiet, 9));
    if (is_prompt()) {
        EXPECT_LE(sink().bytes_of(loud).size(), 1024u);
    }
}

// ── Pauses ───────────────────────────────────────────────────────────────────────────────────

// 11
TEST_P(Pause, HoldsBytesBack) {
    auto [stream, peer] = world().receiving_pair();
    world().advance();
    driver().pause_receive(stream);
    world().send_all(*peer, "held");
    world().advance_idly();
    EXPECT_TRUE(sink().all().empty()) << sink().to_string();

    driver().resume_receive(stream);
    ASSERT_TRUE(receives(stream, 4));
    EXPECT_EQ(sink().bytes_of(stream), "held");
}

// 11
TEST_P(Pause, TakesEffectInsideOnReceived) {
    open_with({.receive_bytes = 1024, .read_budget = 8192});
    auto [stream, peer] = world().pair();
    const std::string sent = pattern(5000);
    world().send_all(*peer, sent);
    sink().on_completion = [&](const Completion&, Bytes) { driver().pause_receive(stream); };
    ASSERT_TRUE(driver().start_receive(stream));
    ASSERT_TRUE(receives(stream, 1));
    world().advance_idly();
    EXPECT_EQ(sink().all().size(), 1u);

    sink().on_completion.reset();
    driver().resume_receive(stream);
    ASSERT_TRUE(receives(stream, sent.size()));
    EXPECT_EQ(sink().bytes_of(stream), sent);
}

// 11: bytes come before, during and after many pauses
TEST_P(Pause, LosesNothing) {
    open_with({.receive_bytes = 512, .read_budget = 1024});
    auto [stream, peer] = world().receiving_pair();
    const std::string sent = pattern(30'000);
    for (std::size_t at = 0; at < sent.size(); at += 1500) {
        world().send_all(*peer, std::string_view{sent}.substr(at, 700));
        driver().pause_receive(stream);
        world().advance();
        world().send_all(*peer, std::string_view{sent}.substr(at + 700, 800));
        driver().resume_receive(stream);
        world().advance();
    }
    ASSERT_TRUE(receives(stream, sent.size()));
    EXPECT_EQ(sink().bytes_of(stream), sent);
}

// 11, 8: the end waits behind the bytes
TEST_P(Pause, HoldsBackTheFin) {
    auto [stream, peer] = world().receiving_pair();
    driver().pause_receive(stream);
    world().send_all(*peer, "held");
    peer->end();
    world().advance_idly();
    EXPECT_TRUE(sink().all().empty()) << sink().to_string();

    driver().resume_receive(stream);
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    EXPECT_EQ(sink().bytes_of(stream), "held");
    EXPECT_EQ(sink().first(stream, Kind::receive_end).errno_value, 0);
}

// 11
TEST_P(Pause, MayEndInsideACompletion) {
    auto [held, held_peer] = world().receiving_pair();
    auto [other, other_peer] = world().receiving_pair();
    driver().pause_receive(held);
    world().send_all(*held_peer, "held");
    world().advance_idly();
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.source == &other) driver().resume_receive(held);
    };
    world().send_all(*other_peer, "go");
    ASSERT_TRUE(receives(held, 4));
    EXPECT_EQ(sink().bytes_of(held), "held");
}

}  // namespace
}  // namespace berth::conformance
