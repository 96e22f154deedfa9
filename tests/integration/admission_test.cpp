// SPDX-License-Identifier: MIT
//
// Bounds on who may come: per listener, per client address, per second. Who is not admitted gets
// an orderly end, whatever he had sent.

#include "integration/support_engine.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

class Admitting : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        options.logger = &journal;
        script.traffic = echo;
    }

    RawPeer connect_from(int host) {
        const std::string from = "tcp://127.0.2." + std::to_string(host) + ":0";
        RawPeer peer = RawPeer::connect_from(*Endpoint::parse(from), target());
        if (speaks_records()) peer.speak_records();
        return peer;
    }

    static void expect_served(RawPeer& peer) {
        peer.send("hello");
        EXPECT_EQ(peer.read(5), "hello");
    }

    void expect_refused(RawPeer& peer, Refusal why) {
        const std::uint64_t before = refused(why);
        peer.send("nobody hears it");
        EXPECT_EQ(peer.read_to_end(), "");
        // In records an end without a goodbye is none in order.
        EXPECT_EQ(peer.ended(), speaks_records() ? Ended::by_reset : Ended::by_fin);
        EXPECT_TRUE(before > 0 || refused(why) > 0);
    }

    std::uint64_t refused(Refusal why) {
        return engine().snapshot().counters.refused.at(static_cast<std::size_t>(why));
    }

    // Its connection is gone, and so is what it was counted by.
    void let_go(RawPeer& peer) {
        const std::size_t before = engine().connection_count();
        peer.close();
        ASSERT_TRUE(eventually([&] { return engine().connection_count() < before; }));
    }
};

TEST_P(Admitting, BoundsTheConnectionsOfAListener) {
    options.listener_connections_max = 2;
    start({address(), address()});
    RawPeer first = connect(0);
    RawPeer second = connect(0);
    expect_served(first);
    expect_served(second);
    RawPeer third = connect(0);
    expect_refused(third, Refusal::listener_limit);
    RawPeer elsewhere = connect(1);
    expect_served(elsewhere);
    third.close();
    let_go(first);
    RawPeer fourth = connect(0);
    expect_served(fourth);
    EXPECT_EQ(refused(Refusal::listener_limit), 1U);
    EXPECT_EQ(script.opened().size(), 4U) << "who is refused is never opened";
}

TEST_P(Admitting, BoundsAListenerOverAllLoopsTogether) {
    options.loops = 3;
    options.balance = Balance::round_robin;
    options.listener_connections_max = 4;
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 4; ++i) peers.push_back(connect());
    for (RawPeer& peer : peers) expect_served(peer);
    for (int i = 0; i < 3; ++i) {
        RawPeer late = connect();
        expect_refused(late, Refusal::listener_limit);
    }
    EXPECT_EQ(refused(Refusal::listener_limit), 3U);
}

TEST_P(Admitting, BoundsEachClientAddressForItself) {
    options.address_connections_max = 2;
    options.loops = 2;
    start();
    RawPeer one = connect_from(1);
    RawPeer two = connect_from(1);
    expect_served(one);
    expect_served(two);
    RawPeer three = connect_from(1);
    expect_refused(three, Refusal::address_limit);
    RawPeer other = connect_from(2);
    expect_served(other);
    three.close();
    let_go(two);
    RawPeer again = connect_from(1);
    expect_served(again);
}

TEST_P(Admitting, DoesNotBoundUnixPeersByAddress) {
    options.address_connections_max = 1;
    start(unix_address("s"));
    RawPeer one = connect();
    RawPeer two = connect();
    expect_served(one);
    expect_served(two);
}

TEST_P(Admitting, BoundsTheRateAfterABurst) {
    options.accept_rate_max = 1;
    options.accept_burst_max = 2;
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 8; ++i) peers.push_back(connect());
    ASSERT_TRUE(eventually(
        [&] { return script.opened().size() + refused(Refusal::accept_rate) == peers.size(); }));
    EXPECT_GE(script.opened().size(), 2U);
    EXPECT_GE(refused(Refusal::accept_rate), 1U) << "a token comes once a second";
}

TEST_P(Admitting, LogsAFloodOnce) {
    options.listener_connections_max = 1;
    start();
    RawPeer one = connect();
    expect_served(one);
    for (int i = 0; i < 20; ++i) {
        RawPeer late = connect();
        expect_refused(late, Refusal::listener_limit);
    }
    EXPECT_TRUE(journal.has(LogLevel::warning, "reason=listener_limit"));
    EXPECT_LT(journal.count("clients are refused"), 20U) << "one line per burst";
}

TEST_P(Admitting, ShowsTheConnectionsOfEachListener) {
    start({address(), unix_address("s")});
    const RawPeer a = connect(0);
    const RawPeer b = connect(1);
    const RawPeer c = connect(1);
    opened(2);
    const auto listeners = engine().snapshot().listeners;
    EXPECT_EQ(listeners.at(0).connections, 1U);
    EXPECT_EQ(listeners.at(1).connections, 2U);
}

TEST_P(Admitting, GivesEveryPlaceBackOverRuns) {
    options.listener_connections_max = 3;
    options.address_connections_max = 3;
    options.loops = 2;
    options.balance = Balance::least_connections;
    for (int run = 0; run < 5; ++run) {
        start();
        std::vector<RawPeer> peers;
        for (int i = 0; i < 3; ++i) peers.push_back(connect());
        for (RawPeer& peer : peers) expect_served(peer);
        RawPeer late = connect();
        late.send("x");
        EXPECT_EQ(late.read_to_end(), "");
        peers.clear();
        late.close();
        EXPECT_EQ(stop().outcome, StopOutcome::clean);
    }
    EXPECT_EQ(refused(Refusal::listener_limit) + refused(Refusal::address_limit), 5U);
}

TEST_P(Admitting, StopsCleanlyWhileRefusedOnesLinger) {
    options.listener_connections_max = 1;
    start();
    RawPeer one = connect();
    expect_served(one);
    std::vector<RawPeer> late;
    for (int i = 0; i < 5; ++i) late.push_back(connect());
    ASSERT_TRUE(eventually([&] { return refused(Refusal::listener_limit) == 5; }));
    one.close();
    late.clear();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

BERTH_FOR_EACH_DRIVER(Admitting);

}  // namespace
}  // namespace berth::test
