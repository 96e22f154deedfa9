// SPDX-License-Identifier: MIT
//
// What gnet's tests leave out and other suites of ours do not have either: storms of resets,
// thousands of queued pieces, fairness. docs/internals/gnet-scenarios.md lists all of it.

#include "integration/support_engine.hpp"

#include <atomic>
#include <system_error>
#include <thread>

namespace berth::test {
namespace {

class GnetUntested : public AnEngine {};

TEST_P(GnetUntested, StormOfResetsCostsNobodyElseAnything) {
    script.traffic = echo;
    options.loops = 2;
    options.balance = Balance::round_robin;
    start();
    RawPeer steady = connect();
    {
        std::vector<std::jthread> storm;
        for (int thread = 0; thread < 3; ++thread) {
            storm.emplace_back([this] {
                for (int i = 0; i < 100; ++i) {
                    RawPeer peer = connect();
                    peer.send_now("gone before the answer");
                    peer.reset();
                }
            });
        }
        for (int i = 0; i < 100; ++i) {
            steady.send("ping");
            ASSERT_EQ(steady.read(4), "ping");
        }
    }
    // Who was reset in the accept queue may never have been opened.
    EXPECT_TRUE(eventually([&] { return engine().connection_count() == 1; }));
    EXPECT_TRUE(eventually([&] { return script.opened().size() == script.reasons().size() + 1; }));
    steady.close();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

// More pieces than one writev takes (IOV_MAX, 1024).
TEST_P(GnetUntested, ThousandsOfQueuedBuffersArriveInOrder) {
    constexpr int kPieces = 5'000;
    std::string expected;
    for (int i = 0; i < kPieces; ++i) expected += std::to_string(i) + " " + pattern(600);
    script.open = [&](Connection& peer) {
        peer.write(pattern(2U << 20U));
        for (int i = 0; i < kPieces; ++i) {
            peer.write(Buffer::adopt(std::to_string(i) + " " + pattern(600)));
        }
        return Action::close;
    };
    start();
    RawPeer peer = connect_slow();
    EXPECT_TRUE(peer.read(2U << 20U) == pattern(2U << 20U));
    EXPECT_TRUE(peer.read_to_end() == expected);
}

// One who sends without end, and one who asks now and then, on the same loop.
TEST_P(GnetUntested, FirehoseStarvesNeitherItsNeighbourNorAStop) {
    std::atomic<std::size_t> swallowed = 0;
    script.traffic = [&](Connection& peer) {
        if (peer.listener_index() == 0) return echo(peer);
        swallowed += peer.discard();
        return Action::none;
    };
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});
    RawPeer hose = connect(1);
    RawPeer neighbour = connect(0);
    std::jthread firehose([&](const std::stop_token& over) {
        const std::string bytes = pattern(256U << 10U);
        try {
            while (!over.stop_requested()) hose.send_now(bytes);
        } catch (const std::system_error&) {  // the stop came first
        }
    });
    for (int i = 0; i < 50; ++i) {
        neighbour.send("ping");
        ASSERT_EQ(neighbour.read(4), "ping");
    }
    EXPECT_TRUE(eventually([&] { return swallowed > (1U << 20U); }));
    stop_within(std::chrono::milliseconds{200});
}

// A peer whose output waits costs its own connection; the bound is the bound.
TEST_P(GnetUntested, ManySlowReadersOweNoMoreThanTheirBound) {
    options.output_high = 64U << 10U;
    options.output_low = 32U << 10U;
    options.output_max = 256U << 10U;
    std::atomic<std::size_t> most = 0;
    script.traffic = [&](Connection& peer) {
        const Bytes bytes = peer.next();
        peer.write(bytes);
        if (peer.unsent() > most) most = peer.unsent();
        return Action::none;
    };
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 10; ++i) peers.push_back(connect_slow());
    opened(9);
    const std::string bytes = pattern(64U << 10U);
    for (int round = 0; round < 50; ++round) {
        for (RawPeer& peer : peers) peer.send_now(bytes);
    }
    settle();
    EXPECT_LE(most, options.output_max);
    stop_within(Duration::zero());
    EXPECT_EQ(script.reasons().size(), 10U);
}

BERTH_FOR_EACH_DRIVER(GnetUntested);

}  // namespace
}  // namespace berth::test
