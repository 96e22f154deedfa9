// SPDX-License-Identifier: MIT
//
// Sending: optimistic sends, vectored ones, those that wait for room, and the end of sending.

#include "conformance/conformance.hpp"

#include <array>

namespace berth::conformance {
namespace {

using Kinds = std::vector<Kind>;
using driver::Sent;
using driver::Slices;
using driver::Stream;
using test::Ended;
using test::Peer;

class Sending : public Conformance {
protected:
    const std::string block_ = pattern(kBlockBytes);
};
class Send : public Sending {};
class SendSlices : public Sending {};
class SendWhenReady : public Sending {};
class EndSending : public Sending {};

INSTANTIATE_TEST_SUITE_P(World, Send, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, SendSlices, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, SendWhenReady, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, EndSending, ::testing::ValuesIn(worlds()), name_of_world);

// 5: and its success is silent
TEST_P(Send, DeliversEveryByteInOrder) {
    auto [stream, peer] = world().receiving_pair();
    for (const std::string_view word : {"one ", "two ", "three"}) {
        send_small(stream, word);
    }
    EXPECT_EQ(world().read_all(*peer, 13), "one two three");
    EXPECT_TRUE(sink().all().empty()) << sink().to_string();
}

// 5: what it took arrives, and nothing else does
TEST_P(Send, SaysWhatTheSocketTook) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    std::string expected;
    ASSERT_TRUE(world().until([&] {
        const std::size_t taken = driver().send(stream, as_bytes(block_)).count();
        expected += block_.substr(0, taken);
        return taken < block_.size();
    }));
    driver().end_sending(stream);
    EXPECT_EQ(world().read_all(*peer, std::string::npos), expected);
}

// 5
TEST_P(Send, FreesItsMemoryAtOnce) {
    auto [stream, peer] = world().receiving_pair();
    std::string memory = "before";
    send_small(stream, memory);
    memory = "XXXXXX";
    EXPECT_EQ(world().read_all(*peer, 6), "before");
}

// 5: a full socket is no error and no reason to wait
TEST_P(Send, NeverWaits) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    fill(stream);
    for (int turn = 0; turn < 3; ++turn) fill(stream);  // the kernel may find a little more room
    const Sent sent = driver().send(stream, as_bytes(block_));
    EXPECT_FALSE(sent.is_failed());
    EXPECT_LT(sent.count(), block_.size());
}

// 5: as a value, and by no signal
TEST_P(Send, FailsAfterAReset) {
    auto [stream, peer] = world().receiving_pair();
    peer->reset();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    EXPECT_TRUE(driver().send(stream, as_bytes("anybody there?")).is_failed());
}

// 5
TEST_P(SendSlices, DeliversThemInOrder) {
    auto [stream, peer] = world().receiving_pair();
    const std::array slices{as_bytes("one "), as_bytes(""), as_bytes("two "), as_bytes("three")};
    const std::size_t taken = driver().send_slices(stream, slices).count();
    if (is_prompt()) {
        EXPECT_EQ(taken, 13u);
    }
    EXPECT_EQ(world().read_all(*peer, taken), std::string{"one two three"}.substr(0, taken));
}

// 5
TEST_P(SendSlices, SaysWhatTheSocketTook) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    const std::array slices{as_bytes(block_), as_bytes(block_)};
    std::string expected;
    ASSERT_TRUE(world().until([&] {
        const std::size_t taken = driver().send_slices(stream, slices).count();
        expected += (block_ + block_).substr(0, taken);
        return taken < 2 * block_.size();
    }));
    driver().end_sending(stream);
    EXPECT_EQ(world().read_all(*peer, std::string::npos), expected);
}

// ── Waiting for room ─────────────────────────────────────────────────────────────────────────

// 2
TEST_P(SendWhenReady, CompletesOnce) {
    auto [stream, peer] = world().receiving_pair();
    const Bytes slice = as_bytes("once");
    const Slices slices{&slice, 1};
    driver().send_when_ready(stream, slices);
    ASSERT_TRUE(comes(Kind::sent, stream));
    const std::size_t taken = sink().first(stream, Kind::sent).count;
    if (is_prompt()) {
        EXPECT_EQ(taken, 4u);
    }
    EXPECT_EQ(world().read_all(*peer, taken), std::string{"once"}.substr(0, taken));
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(stream), Kinds{Kind::sent});
}

// 5, 6: a socket that was never full tells nobody that it has room
TEST_P(SendWhenReady, DoesNotWaitWhenThereIsRoom) {
    auto [stream, peer] = world().receiving_pair();
    world().advance_idly();
    const Bytes slice = as_bytes("now");
    const Slices slices{&slice, 1};
    driver().send_when_ready(stream, slices);
    EXPECT_LT(world().poll_within(test::patience()), test::patience() / 2);
    EXPECT_TRUE(has_come(Kind::sent, stream));
}

// 5
TEST_P(SendWhenReady, WaitsForRoom) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    const std::size_t filled = fill(stream);
    const Bytes slice = as_bytes("at last");
    const Slices slices{&slice, 1};
    driver().send_when_ready(stream, slices);
    const auto taken = [&] { return sink().first(stream, Kind::sent).count; };
    std::string read;
    ASSERT_TRUE(world().until([&] {
        read += peer->read_now();
        return sink().has(stream, Kind::sent) && read.size() >= filled + taken();
    }));
    EXPECT_EQ(read.substr(filled), std::string{"at last"}.substr(0, taken()));
    EXPECT_EQ(sink().count_of(stream, Kind::sent), 1u);
}

// 5: at least one byte, and what it says is what the peer gets
TEST_P(SendWhenReady, TakesWhatFits) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    const std::size_t filled = fill(stream);
    const std::string large = pattern(8U << 20U);
    const Bytes slice = as_bytes(large);
    const Slices slices{&slice, 1};
    driver().send_when_ready(stream, slices);
    std::string read;
    ASSERT_TRUE(world().until([&] {
        if (!sink().has(stream, Kind::sent)) read += peer->read_now();
        return sink().has(stream, Kind::sent);
    }));
    const std::size_t taken = sink().first(stream, Kind::sent).count;
    EXPECT_LT(taken, large.size());
    driver().end_sending(stream);
    read += world().read_all(*peer, std::string::npos);
    EXPECT_EQ(read.size(), filled + taken);
    EXPECT_TRUE(read.ends_with(large.substr(0, taken)));
}

// 4: until on_sent, and no longer
TEST_P(SendWhenReady, ReadsItsSlicesWhileInFlight) {
    auto [stream, peer] = world().receiving_pair();
    auto first = std::make_unique<std::string>("first ");
    auto second = std::make_unique<std::string>("second");
    auto pieces =
        std::make_unique<std::array<Bytes, 2>>(std::array{as_bytes(*first), as_bytes(*second)});
    auto slices = std::make_unique<Slices>(*pieces);
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind != Kind::sent) return;
        *first = "XXXXXX";
        *second = "XXXXXX";
        first.reset();
        second.reset();
        pieces.reset();
        slices.reset();
    };
    driver().send_when_ready(stream, *slices);
    ASSERT_TRUE(comes(Kind::sent, stream));
    const std::size_t taken = sink().first(stream, Kind::sent).count;
    EXPECT_EQ(world().read_all(*peer, taken), std::string{"first second"}.substr(0, taken));
    world().advance_idly();
}

// 2
TEST_P(SendWhenReady, FailsOnce) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    fill(stream);
    const Bytes slice = as_bytes("too late");
    const Slices slices{&slice, 1};
    driver().send_when_ready(stream, slices);
    peer->reset();
    ASSERT_TRUE(comes(Kind::sent, stream));
    world().advance_idly();
    EXPECT_EQ(sink().count_of(stream, Kind::sent), 1u);
    EXPECT_NE(sink().first(stream, Kind::sent).errno_value, 0);
    EXPECT_EQ(sink().count_of(stream, Kind::receive_end), 1u);
}

// 5: and the other direction goes on
TEST_P(EndSending, ComesAfterTheLastByte) {
    auto [stream, peer] = world().receiving_pair();
    send_small(stream, "last words");
    driver().end_sending(stream);
    EXPECT_EQ(world().read_all(*peer, std::string::npos), "last words");
    EXPECT_EQ(peer->ended(), Ended::by_fin);

    world().send_all(*peer, "heard");
    ASSERT_TRUE(receives(stream, 5));
    EXPECT_EQ(sink().bytes_of(stream), "heard");
}

}  // namespace
}  // namespace berth::conformance
