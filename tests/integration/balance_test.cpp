// SPDX-License-Identifier: MIT
//
// Balancing: which loop a connection is given to.

#include "integration/support_engine.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

class Spreading : public AnEngine {
protected:
    using Counts = std::vector<std::size_t>;

    void start_with(Balance balance, unsigned loops) {
        options.balance = balance;
        options.loops = loops;
        start();
    }

    void start_on_unix_path(Balance balance) {
        options.balance = balance;
        options.loops = 3;
        AnEngine::start(unix_address("spread"));
    }

    // One after the other, each waited for: the order in which they open is that of `peers`.
    void connect_more(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) keep(connect());
    }
    void keep(RawPeer peer) {
        peers.push_back(std::make_unique<RawPeer>(std::move(peer)));
        placed.push_back(opened(placed.size()).loop());
    }

    RawPeer connect_from(const Endpoint& from) {
        RawPeer peer = RawPeer::connect_from(from, target());
        if (speaks_records()) peer.speak_records();
        return peer;
    }

    // Those of `loop` go; waited for.
    void close_all_of(std::size_t loop) {
        std::size_t left = engine().connection_count();
        for (std::size_t i = 0; i < peers.size(); ++i) {
            if (placed[i] != loop || peers[i] == nullptr) continue;
            peers[i].reset();
            --left;
        }
        ASSERT_TRUE(eventually([&] { return engine().connection_count() == left; }));
    }

    // On two loops: 16 that stay, and behind each of them one that does not.
    std::size_t imbalance_after_long_and_short(Balance balance) {
        start_with(balance, 2);
        for (std::size_t stay = 1; stay <= 16; ++stay) {
            connect_more(2);
            peers.back().reset();
            EXPECT_TRUE(eventually([&] { return engine().connection_count() == stay; }));
        }
        const Counts counts = spread();
        const auto [least, most] = std::ranges::minmax(counts);
        return most - least;
    }

    // Connections that are open, by loop.
    Counts spread() {
        settle();
        Counts counts;
        for (const EngineSnapshot::Loop& loop : engine().snapshot().loops) {
            counts.push_back(loop.connections);
        }
        return counts;
    }

    std::vector<std::unique_ptr<RawPeer>> peers;
    std::vector<std::size_t> placed;  // the loop of each peer
};

TEST_P(Spreading, LeastConnectionsFillsTheLoopThatHasBecomeEmpty) {
    start_with(Balance::least_connections, 3);
    connect_more(9);
    EXPECT_EQ(spread(), (Counts{3, 3, 3}));
    close_all_of(1);
    connect_more(3);
    EXPECT_EQ((Counts{placed.end() - 3, placed.end()}), (Counts{1, 1, 1}));
}

// A loop that is busy does not count as empty because it has not yet seen who was given to it.
TEST_P(Spreading, LeastConnectionsCountsThoseOnTheirWay) {
    start_with(Balance::least_connections, 3);
    Gate reached;
    Gate release;
    for (const std::size_t busy : {1U, 2U}) {
        engine().loop(busy).post([&](EventLoop&) {
            reached.open();
            EXPECT_TRUE(release.pass());
        });
        ASSERT_TRUE(reached.pass());
    }
    std::vector<RawPeer> crowd;
    for (int i = 0; i < 12; ++i) crowd.push_back(connect());
    ASSERT_TRUE(eventually([&] { return engine().connection_count() == 12; }));
    release.open();
    release.open();
    opened(11);
    EXPECT_EQ(spread(), (Counts{4, 4, 4}));
}

TEST_P(Spreading, LeastConnectionsCountsOutgoingOnes) {
    RawListener server(*Endpoint::parse("tcp://127.0.0.1:0"));
    start_with(Balance::least_connections, 2);
    std::vector<RawPeer> accepted;
    for (int i = 0; i < 3; ++i) {
        on_loop(
            [&](EventLoop& loop) {
                EXPECT_TRUE(loop.connect(server.endpoint(), Deadline::never()));
            },
            1);
        accepted.push_back(accept(server));
        placed.push_back(opened(placed.size()).loop());
        peers.push_back(nullptr);
    }
    connect_more(3);
    EXPECT_EQ(placed, (Counts{1, 1, 1, 0, 0, 0}));
}

// Long and short connections in turn: what round robin cannot see.
TEST_P(Spreading, RoundRobinGathersLongConnectionsOnOneLoop) {
    EXPECT_EQ(imbalance_after_long_and_short(Balance::round_robin), 16U);
}

TEST_P(Spreading, LeastConnectionsSpreadsThem) {
    EXPECT_LE(imbalance_after_long_and_short(Balance::least_connections), 1U);
}

TEST_P(Spreading, SourceHashKeepsAnAddressOnItsLoop) {
    start_with(Balance::source_hash, 4);
    std::set<std::size_t> used;
    for (int host = 1; host <= 24; ++host) {
        const auto from = *Endpoint::parse("tcp://127.0.1." + std::to_string(host) + ":0");
        for (int i = 0; i < 3; ++i) keep(connect_from(from));
        EXPECT_EQ((std::set<std::size_t>{placed.end() - 3, placed.end()}).size(), 1U) << host;
        used.insert(placed.back());
    }
    // That 24 addresses meet on fewer than three of four loops has a chance of 4 in 10^7.
    EXPECT_GE(used.size(), 3U);
}

// There is one accept queue, and no address: whatever the policy, every loop has its share.
TEST_P(Spreading, ShardedUnixPeersReachEveryLoop) {
    start_on_unix_path(Balance::sharded);
    connect_more(30);
    EXPECT_EQ(spread(), (Counts{10, 10, 10}));
}

TEST_P(Spreading, LeastConnectionsUnixPeersReachEveryLoop) {
    start_on_unix_path(Balance::least_connections);
    connect_more(30);
    EXPECT_EQ(spread(), (Counts{10, 10, 10}));
}

TEST_P(Spreading, SourceHashUnixPeersReachEveryLoop) {
    start_on_unix_path(Balance::source_hash);
    connect_more(30);
    EXPECT_EQ(spread(), (Counts{10, 10, 10}));
}

BERTH_FOR_EACH_DRIVER(Spreading);

}  // namespace
}  // namespace berth::test
