// SPDX-License-Identifier: MIT
//
// Closing: one answer to everything in flight, and nothing is left behind.

#include "conformance/conformance.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace berth::conformance {
namespace {

using Kinds = std::vector<Kind>;
using driver::Descriptor;
using driver::Ending;
using driver::Slices;
using driver::Stream;
using test::Ended;

class Close : public Conformance {};
class CloseWithReset : public Conformance {};

INSTANTIATE_TEST_SUITE_P(World, Close, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, CloseWithReset, ::testing::ValuesIn(worlds_with_reset()),
                         name_of_world);

// 2
TEST_P(Close, AnswersReceiveSilently) {
    auto [stream, peer] = world().receiving_pair();
    world().advance();
    world().send_all(*peer, "unheard");
    peer->end();
    driver().close(stream, Ending::orderly);
    ASSERT_TRUE(comes(Kind::closed, stream));
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(stream), Kinds{Kind::closed});
}

// 2
TEST_P(Close, AnswersSendWhenReadySilently) {
    auto [stream, peer] = world().receiving_pair();
    const Bytes slice = as_bytes("unsent");
    const Slices slices{&slice, 1};
    driver().send_when_ready(stream, slices);
    driver().close(stream, Ending::orderly);
    ASSERT_TRUE(comes(Kind::closed, stream));
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(stream), Kinds{Kind::closed});
}

// 2
TEST_P(Close, OfManyAnswersEachOnce) {
    std::vector<Pair> pairs;
    pairs.reserve(20);
    for (int count = 0; count < 20; ++count) pairs.push_back(world().receiving_pair());
    for (const Pair& each : pairs) each.peer->send_now("bye");
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind != Kind::received || sink().all().size() != 1) return;
        for (const Pair& pair : pairs) driver().close(pair.stream, Ending::orderly);
    };
    for (const Pair& each : pairs) ASSERT_TRUE(comes(Kind::closed, each.stream));
    world().advance_idly();
    EXPECT_EQ(sink().all().size(), 1 + pairs.size()) << sink().to_string();
}

// 2: each is ready to receive and to send; whichever is heard first is the last before on_closed
TEST_P(Close, FromEitherCompletionAnswersTheOther) {
    std::vector<Pair> pairs;
    pairs.reserve(10);
    for (int count = 0; count < 10; ++count) pairs.push_back(world().pair());
    const Bytes slice = as_bytes("answer");
    const Slices slices{&slice, 1};
    sink().on_completion = [&](const Completion& each, Bytes) {
        for (const Pair& pair : pairs) {
            if (each.kind == Kind::closed || each.source != &pair.stream) continue;
            driver().close(pair.stream, Ending::orderly);
        }
    };
    for (const Pair& each : pairs) {
        world().send_all(*each.peer, "question");
        ASSERT_TRUE(driver().start_receive(each.stream));
        driver().send_when_ready(each.stream, slices);
    }
    for (const Pair& each : pairs) {
        ASSERT_TRUE(comes(Kind::closed, each.stream));
        EXPECT_EQ(sink().of(each.stream).size(), 2u) << sink().to_string();
    }
}

// 3, and in the same poll (6)
TEST_P(Close, FromItsOwnCompletion) {
    auto [stream, peer] = world().receiving_pair();
    bool closed_inside = false;
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind != Kind::received) return;
        driver().close(stream, Ending::orderly);
        closed_inside = sink().has(stream, Kind::closed);
    };
    world().send_all(*peer, "quit");
    ASSERT_TRUE(comes(Kind::closed, stream));
    EXPECT_FALSE(closed_inside);
    EXPECT_EQ(sink().kinds_of(stream), (Kinds{Kind::received, Kind::closed}));
    EXPECT_TRUE(came_in_one_poll());
}

// 2: although there was more to read
TEST_P(Close, EndsTheReading) {
    open_with({.receive_bytes = 16, .read_budget = 1024});
    auto [stream, peer] = world().pair();
    world().send_all(*peer, pattern(100));
    peer->end();
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind == Kind::received) driver().close(stream, Ending::orderly);
    };
    ASSERT_TRUE(driver().start_receive(stream));
    ASSERT_TRUE(comes(Kind::closed, stream));
    EXPECT_EQ(sink().kinds_of(stream), (Kinds{Kind::received, Kind::closed}));
}

// 6
TEST_P(Close, OfAnotherFromOnClosed) {
    auto [first, first_peer] = world().receiving_pair();
    auto [second, second_peer] = world().receiving_pair();
    const Bytes slice = as_bytes("unsent");
    const Slices slices{&slice, 1};
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.source != &first) return;
        driver().send_when_ready(second, slices);  // what it interrupts is under way
        driver().close(second, Ending::orderly);
    };
    driver().close(first, Ending::orderly);
    ASSERT_TRUE(comes(Kind::closed, second));
    EXPECT_EQ(sink().all().size(), 2u);
    EXPECT_TRUE(came_in_one_poll());
}

// 12
TEST_P(Close, GivesThePeerItsFin) {
    auto [stream, peer] = world().receiving_pair();
    send_small(stream, "bye");
    driver().close(stream, Ending::orderly);
    ASSERT_TRUE(comes(Kind::closed, stream));
    EXPECT_EQ(world().read_all(*peer, std::string::npos), "bye");
    EXPECT_EQ(peer->ended(), Ended::by_fin);
}

// 12
TEST_P(Close, ClosesTheDescriptor) {
    auto [stream, peer] = world().receiving_pair();
    const Descriptor descriptor = stream.descriptor;
    int seen = 0;
    sink().on_completion = [&](const Completion&, Bytes) {
        seen = world().system().local_endpoint(descriptor, Scheme::tcp).errno_value();
    };
    driver().close(stream, Ending::orderly);
    ASSERT_TRUE(comes(Kind::closed, stream));
    EXPECT_EQ(seen, EBADF);
}

// 12: from inside on_closed, as a slab would
TEST_P(Close, LetsTheStreamBeUsedAgain) {
    auto [stream, peer] = world().receiving_pair();
    auto [donor, next_peer] = world().pair();
    driver().pause_receive(stream);  // no state of the first life may reach the second
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind != Kind::closed) return;
        stream.descriptor = std::exchange(donor.descriptor, Descriptor::none);
        EXPECT_TRUE(driver().start_receive(stream));
    };
    driver().close(stream, Ending::orderly);
    ASSERT_TRUE(comes(Kind::closed, stream));
    sink().on_completion.reset();
    world().send_all(*next_peer, "second life");
    ASSERT_TRUE(receives(stream, 11));
    EXPECT_EQ(sink().bytes_of(stream), "second life");
}

// 12: both are ready in one poll; whichever is heard first closes the other, whose Stream goes
// to somebody else at once
TEST_P(Close, StaleEventsReachNobody) {
    auto [one, one_peer] = world().pair();
    auto [two, two_peer] = world().pair();
    auto [donor, next_peer] = world().pair();
    for (test::Peer* peer : {one_peer.get(), two_peer.get()}) {
        world().send_all(*peer, "bye");
        peer->end();
    }
    Stream* reused = nullptr;
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind == Kind::received && reused == nullptr) {
            reused = each.source == &one ? &two : &one;
            driver().close(*reused, Ending::orderly);
        } else if (each.kind == Kind::closed) {
            reused->descriptor = std::exchange(donor.descriptor, Descriptor::none);
            EXPECT_TRUE(driver().start_receive(*reused));
        }
    };
    ASSERT_TRUE(driver().start_receive(one));
    ASSERT_TRUE(driver().start_receive(two));
    ASSERT_TRUE(
        world().until([&] { return reused != nullptr && sink().has(*reused, Kind::closed); }));
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(*reused), Kinds{Kind::closed});
}

// 4: after on_closed the memory is the caller's, whatever was pending for it: a driver that writes
// there is seen, one that follows what it reads there crashes
TEST_P(Close, TouchesTheStreamNoMore) {
    auto [donor, peer] = world().pair();
    Stream stream;
    stream.descriptor = std::exchange(donor.descriptor, Descriptor::none);
    world().send_all(*peer, "pending");
    ASSERT_TRUE(driver().start_receive(stream));
    driver().pause_receive(stream);
    world().advance();
    driver().resume_receive(stream);
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind == Kind::closed)
            std::memset(static_cast<void*>(&stream), 0xff, sizeof stream);
    };
    driver().close(stream, Ending::orderly);
    ASSERT_TRUE(comes(Kind::closed, stream));
    world().advance_idly();
    std::array<unsigned char, sizeof stream> untouched;
    untouched.fill(0xff);
    EXPECT_EQ(std::memcmp(static_cast<const void*>(&stream), untouched.data(), sizeof stream), 0);
}

// 12: and what was not sent is dropped
TEST_P(CloseWithReset, GivesThePeerItsReset) {
    auto [stream, peer] = world().receiving_pair();
    driver().close(stream, Ending::reset);
    ASSERT_TRUE(comes(Kind::closed, stream));
    EXPECT_EQ(world().read_all(*peer, std::string::npos), "");
    EXPECT_EQ(peer->ended(), Ended::by_reset);
}

// 12: not even to a peer that makes room before the next poll
TEST_P(CloseWithReset, SendsNothingMore) {
    auto [stream, peer] = world().receiving_pair(PeerBuffer::small);
    const std::size_t taken = fill(stream);
    const auto never_sent = world().system().never_sent(stream.descriptor);
    ASSERT_TRUE(never_sent && *never_sent > 0);
    driver().close(stream, Ending::reset);
    std::size_t got = 0;
    for (int look = 0; look < 10; ++look) got += peer->read_now().size();
    ASSERT_TRUE(comes(Kind::closed, stream));
    got += world().read_all(*peer, std::string::npos).size();
    EXPECT_LE(got, taken - *never_sent);
    EXPECT_EQ(peer->ended(), Ended::by_reset);
}

}  // namespace
}  // namespace berth::conformance
