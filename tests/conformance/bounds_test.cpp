// SPDX-License-Identifier: MIT
//
// Bounds: what is given at opening holds, nothing grows, and what cannot start says so.

#include "conformance/conformance.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace berth::conformance {
namespace {

using driver::Descriptor;
using driver::Ending;
using driver::Listener;
using driver::Slices;
using driver::Stream;

class Bounds : public Conformance {};

INSTANTIATE_TEST_SUITE_P(World, Bounds, ::testing::ValuesIn(worlds()), name_of_world);

// 1: the checked driver counts; this calls everything that starts or ends something
TEST_P(Bounds, StartingNeverAllocates) {
    const auto there = world().peer_listener();
    Stream& towards = world().stream_towards(there->endpoint());
    Listener& listener = world().listen();
    auto [stream, peer] = world().pair();
    const std::array slices{as_bytes("one "), as_bytes("two")};
    const Slices pinned{slices};

    EXPECT_TRUE(driver().start_accept(listener));
    EXPECT_TRUE(driver().connect(towards, there->endpoint()));
    EXPECT_TRUE(driver().start_receive(stream));
    driver().pause_receive(stream);
    driver().resume_receive(stream);
    driver().send(stream, slices.front());
    driver().send_slices(stream, slices);
    driver().send_when_ready(stream, pinned);
    world().advance();
    driver().end_sending(stream);
    driver().stop_accept(listener);
    driver().close(towards, Ending::orderly);
    driver().close(stream, Ending::reset);
    EXPECT_TRUE(comes(Kind::closed, stream));
}

// 1: no list grows either
TEST_P(Bounds, ManyOperationsAtOnceNeverAllocate) {
    std::vector<Pair> pairs;
    pairs.reserve(64);
    for (int count = 0; count < 64; ++count) pairs.push_back(world().receiving_pair());
    const Bytes slice = as_bytes("all at once");
    const Slices slices{&slice, 1};
    for (const Pair& each : pairs) driver().send_when_ready(each.stream, slices);
    for (const Pair& each : pairs) driver().close(each.stream, Ending::orderly);
    for (const Pair& each : pairs) EXPECT_TRUE(comes(Kind::closed, each.stream));
}

// 14: with a bound of nothing no byte, connection or event could ever come
TEST_P(Bounds, RefusesNothing) {
    EXPECT_FALSE(world().try_open({.receive_bytes = 0}));
    EXPECT_FALSE(world().try_open({.read_budget = 0}));
    EXPECT_FALSE(world().try_open({.accept_budget = 0}));
    EXPECT_FALSE(world().try_open({.events_max = 0}));
    EXPECT_TRUE(world().try_open({}));
}

// 14
TEST_P(Bounds, ReceivesNoMoreThanTheBuffer) {
    open_with({.receive_bytes = 100, .read_budget = 1000});
    auto [stream, peer] = world().receiving_pair();
    world().send_all(*peer, pattern(950));
    ASSERT_TRUE(receives(stream, 950));
    for (const Completion& each : sink().of(stream)) EXPECT_LE(each.count, 100u);
}

// 14
TEST_P(Bounds, AcceptsNoMoreThanItsBudget) {
    open_with({.accept_budget = 2});
    Listener& listener = world().listen();
    std::array<std::unique_ptr<test::Peer>, 7> peers;
    std::ranges::generate(peers, [&] { return world().connect(listener); });
    ASSERT_TRUE(driver().start_accept(listener));
    ASSERT_TRUE(world().until([&] { return sink().all().size() == peers.size(); }));

    std::map<std::size_t, int> accepted_in;
    for (const Completion& each : sink().all()) ++accepted_in[each.poll];
    for (const auto& [poll, count] : accepted_in) EXPECT_LE(count, 2) << "in poll " << poll;
}

// 14: and those left over come with the polls that follow
TEST_P(Bounds, TakesNoMoreEventsThanItsMaximum) {
    open_with({.events_max = 2});
    std::vector<Pair> pairs;
    pairs.reserve(6);
    for (int count = 0; count < 6; ++count) pairs.push_back(world().pair());
    for (const Pair& each : pairs) {
        world().send_all(*each.peer, "here");
        ASSERT_TRUE(driver().start_receive(each.stream));
    }
    for (const Pair& each : pairs) ASSERT_TRUE(receives(each.stream, 4));

    std::map<std::size_t, std::set<const driver::Source*>> heard_in;
    for (const Completion& each : sink().all()) heard_in[each.poll].insert(each.source);
    for (const auto& [poll, streams] : heard_in) EXPECT_LE(streams.size(), 2u) << "in " << poll;
}

// 2: if the start fails, nothing follows
TEST_P(Bounds, AFailedStartHasNoCompletion) {
    Listener nowhere;
    Stream nobody;
    EXPECT_FALSE(driver().start_accept(nowhere));
    EXPECT_FALSE(driver().start_receive(nobody));
    world().advance_idly();
    EXPECT_TRUE(sink().all().empty()) << sink().to_string();
}

}  // namespace
}  // namespace berth::conformance
