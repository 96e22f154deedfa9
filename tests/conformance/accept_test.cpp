// SPDX-License-Identifier: MIT
//
// Accepting: one start, many peers, one end, and a port that is free afterwards.

#include "conformance/conformance.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

namespace berth::conformance {
namespace {

using Kinds = std::vector<Kind>;
using driver::Descriptor;
using driver::Listener;

class Accept : public Conformance {
protected:
    Listener& accepting() {
        Listener& listener = world().listen();
        EXPECT_TRUE(driver().start_accept(listener));
        return listener;
    }
    std::vector<std::unique_ptr<test::Peer>> connect_peers(std::size_t count,
                                                           const Listener& listener) {
        std::vector<std::unique_ptr<test::Peer>> peers(count);
        std::ranges::generate(peers, [&] { return world().connect(listener); });
        return peers;
    }
    ::testing::AssertionResult accepts(std::size_t count, const Listener& listener) {
        return world().until([&] { return sink().count_of(listener, Kind::accepted) >= count; });
    }
};

INSTANTIATE_TEST_SUITE_P(World, Accept, ::testing::ValuesIn(worlds()), name_of_world);

// 7
TEST_P(Accept, DeliversManyPeersForOneStart) {
    Listener& listener = accepting();
    const auto first = connect_peers(1, listener);
    ASSERT_TRUE(accepts(1, listener));
    const auto more = connect_peers(3, listener);
    ASSERT_TRUE(accepts(4, listener));

    std::set<Descriptor> different;
    for (const Completion& each : sink().of(listener)) different.insert(each.descriptor);
    EXPECT_EQ(different.size(), 4u);
}

// 7
TEST_P(Accept, DeliversPeersThatCameBefore) {
    Listener& listener = world().listen();
    const auto peers = connect_peers(2, listener);
    ASSERT_TRUE(driver().start_accept(listener));
    EXPECT_TRUE(accepts(2, listener));
}

// 7
TEST_P(Accept, TellsThePeersAddress) {
    Listener& listener = accepting();
    const auto peer = world().connect(listener);
    ASSERT_TRUE(accepts(1, listener));
    EXPECT_EQ(sink().first(listener, Kind::accepted).peer, peer->address());
}

// 2
TEST_P(Accept, EndsOnceWhenStopped) {
    Listener& listener = accepting();
    world().advance();
    driver().stop_accept(listener);
    ASSERT_TRUE(comes(Kind::accept_end, listener));

    const auto late = world().connect(listener);
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(listener), Kinds{Kind::accept_end});
    EXPECT_EQ(sink().first(listener, Kind::accept_end).errno_value, 0);
}

// 2
TEST_P(Accept, StartsAgainAfterItsEnd) {
    Listener& listener = accepting();
    driver().stop_accept(listener);
    ASSERT_TRUE(comes(Kind::accept_end, listener));
    const auto peer = world().connect(listener);

    ASSERT_TRUE(driver().start_accept(listener));
    EXPECT_TRUE(accepts(1, listener));
}

// 2
TEST_P(Accept, EndsOnceWhenDescriptorsRunOut) {
    Listener& listener = accepting();
    const auto peer = world().connect(listener);
    world().during_descriptor_famine([&] {
        EXPECT_TRUE(comes(Kind::accept_end, listener));
        world().advance_idly();
    });
    EXPECT_EQ(sink().kinds_of(listener), Kinds{Kind::accept_end});
    EXPECT_EQ(sink().first(listener, Kind::accept_end).errno_value, EMFILE);

    ASSERT_TRUE(driver().start_accept(listener));
    EXPECT_TRUE(accepts(1, listener));
}

// 2: without a client nothing is lacking.
TEST_P(Accept, WaitsWhileDescriptorsRunOut) {
    Listener& listener = world().listen();
    world().during_descriptor_famine([&] {
        ASSERT_TRUE(driver().start_accept(listener));
        world().advance_idly();
    });
    EXPECT_TRUE(sink().of(listener).empty());
}

// 3: the end comes after on_accepted has returned, and in the same poll (6).
TEST_P(Accept, StopsFromInsideItsCompletion) {
    Listener& listener = world().listen();
    const auto peers = connect_peers(3, listener);
    bool ended_inside = false;
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind != Kind::accepted) return;
        if (sink().all().size() == 1) driver().stop_accept(listener);
        ended_inside = sink().has(listener, Kind::accept_end);
    };
    ASSERT_TRUE(driver().start_accept(listener));
    ASSERT_TRUE(comes(Kind::accept_end, listener));
    EXPECT_FALSE(ended_inside);
    EXPECT_EQ(sink().all().back().kind, Kind::accept_end);
    EXPECT_TRUE(came_in_one_poll());
}

// 13: a peer was accepted before the end, or still waits for whoever accepts next.
TEST_P(Accept, LosesNoPeerWhenStopped) {
    Listener& listener = world().listen();
    const auto peers = connect_peers(3, listener);
    sink().on_completion = [&](const Completion&, Bytes) {
        if (sink().all().size() == 1) driver().stop_accept(listener);
    };
    ASSERT_TRUE(driver().start_accept(listener));
    ASSERT_TRUE(comes(Kind::accept_end, listener));

    std::size_t found = sink().count_of(listener, Kind::accepted);
    while (auto waiting = world().system().accept(listener.descriptor)) {
        world().system().close(waiting->descriptor);
        ++found;
    }
    EXPECT_EQ(found, 3u);
}

// 13: a peer who came just before may have woken the one that is stopped, and nobody else.
TEST_P(Accept, LeavesNobodyUnservedBesideOneThatIsStopped) {
    Listener& stopped = accepting();
    Listener& other = world().listen_beside(stopped);
    ASSERT_TRUE(driver().start_accept(other));
    world().advance();
    const auto peer = world().connect(stopped);
    driver().stop_accept(stopped);
    EXPECT_TRUE(world().until([&] {
        return sink().count_of(stopped, Kind::accepted) + sink().count_of(other, Kind::accepted) ==
               1;
    }));
    EXPECT_TRUE(comes(Kind::accept_end, stopped));
}

// 13
TEST_P(Accept, FreesThePortAfterItsEnd) {
    Listener& listener = accepting();
    const Endpoint endpoint = world().endpoint_of(listener);
    const auto peer = world().connect(listener);
    ASSERT_TRUE(accepts(1, listener));

    int listened = -1;
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind != Kind::accept_end) return;
        world().close_descriptor(listener);
        listened = world().listen_again(endpoint);
    };
    driver().stop_accept(listener);
    ASSERT_TRUE(comes(Kind::accept_end, listener));
    EXPECT_EQ(listened, 0) << "errno";
}

}  // namespace
}  // namespace berth::conformance
