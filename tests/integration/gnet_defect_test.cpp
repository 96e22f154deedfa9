// SPDX-License-Identifier: MIT
//
// Defects that were found in gnet by reading it, each as a test that its behaviour would fail.
// docs/internals/gnet-scenarios.md lists all of them; those that other suites test stand there.

#include "integration/support_engine.hpp"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <string>
#include <system_error>

namespace berth::test {
namespace {

class GnetDefect : public AnEngine {
protected:
    // The engine may close it meanwhile.
    static void send_to_whom_it_may_reach(RawPeer& peer, std::string_view bytes) {
        try {
            peer.send_now(bytes);
        } catch (const std::system_error&) {
        }
    }
};
class GnetDefectAnywhere : public AnEngine {};

// D3: a flush that cannot send everything never asks for room, and later writes only append.
TEST_P(GnetDefectAnywhere, FlushThatTheKernelDoesNotTakeWholeIsFinishedByItself) {
    const std::string large = pattern(8U << 20U);
    script.open = [&](Connection& peer) {
        peer.write(large);
        peer.flush();
        return peer.write("and this"), Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    EXPECT_TRUE(peer.read(large.size()) == large);
    EXPECT_EQ(peer.read(8), "and this");
    stop();
}

// D4: a handler closes its own connection and says none; the loop goes on reading the number of
// its descriptor, which is another's by now.
TEST_P(GnetDefect, ConnectionThatClosedItselfReadsNobodyElsesBytes) {
    constexpr int kPairs = 50;
    std::atomic<int> taken = 0;
    std::vector<OwnedDescriptor> others;  // pairs: where it is written, where it must be read
    script.traffic = [&](Connection& peer) {
        peer.close(CloseMode::reset);
        for (int i = 0; i < kPairs; ++i) {
            std::array<int, 2> pair{};
            if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) break;
            others.emplace_back(pair[0]);
            others.emplace_back(pair[1]);
            EXPECT_EQ(::send(pair[0], "x", 1, 0), 1);
            EXPECT_EQ(::send(pair[1], "x", 1, 0), 1);
        }
        ++taken;
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    send_to_whom_it_may_reach(peer, pattern(1U << 20U));
    closed();
    stop();
    EXPECT_EQ(taken, 1);
    for (const OwnedDescriptor& each : others) {
        char byte = 0;
        EXPECT_EQ(::recv(each.number(), &byte, 1, MSG_DONTWAIT), 1);
    }
}

// D7: with a listener per loop, tcp4 becomes dual stack on every loop but the first.
TEST_P(GnetDefect, ShardedTcp4IsTcp4OnEveryLoop) {
    options.loops = 3;
    options.balance = Balance::sharded;
    std::array<std::atomic<int>, 3> served{};
    script.open = [&](Connection& peer) {
        EXPECT_EQ(peer.peer_endpoint().ip().family, 4);
        ++served.at(peer.loop().index());
        return Action::none;
    };
    start("tcp4://:0");
    const std::uint16_t port = engine().endpoints().at(0).port();
    const auto v6 = Endpoint::parse("tcp6://[::1]:" + std::to_string(port));
    EXPECT_THROW(RawPeer::connect(*v6), std::system_error) << "IPv6 was not asked for";
    std::vector<RawPeer> peers;
    for (std::size_t i = 0; i < 300; ++i) {
        peers.push_back(connect_to(Endpoint(
            Scheme::tcp, IpEndpoint{.address = {127, 0, 0, 1}, .port = port, .family = 4})));
        opened(i);
        if (served[0] > 0 && served[1] > 0 && served[2] > 0) break;
    }
    stop();
    for (const auto& each : served) EXPECT_GT(each, 0);
}

// D10: what is returned by OnOpen passes what was written in it.
TEST_P(GnetDefectAnywhere, WhatOnOpenWritesKeepsItsOrder) {
    const std::string large = pattern(4U << 20U);
    script.open = [&](Connection& peer) {
        peer.write("first");
        peer.write(large);
        peer.write("last");
        return Action::close;
    };
    start();
    RawPeer peer = connect_slow();
    EXPECT_TRUE(peer.read_to_end() == "first" + large + "last");
}

// D11: an event of the same batch meets a new connection that got the same descriptor number.
TEST_P(GnetDefect, NewcomerNeverMeetsTheEventsOfWhoHadItsNumber) {
    constexpr std::size_t kPeers = 8;
    std::atomic<std::size_t> wrong = 0;
    script.traffic = [&](Connection& peer) {
        // Each peer sends its own port, again and again.
        const std::string own = std::to_string(peer.peer_endpoint().port()) + "\n";
        const std::string_view read = as_text(peer.next());
        if ((own + own).find(read.substr(0, own.size())) == std::string::npos) ++wrong;
        // And whoever has an event behind this one in the batch may lose it.
        peer.loop().for_each([&](Connection& other) {
            if (other.id() != peer.id()) other.close(CloseMode::now);
        });
        return Action::none;
    };
    start();
    for (int round = 0; round < 100; ++round) {
        std::vector<RawPeer> peers;
        for (std::size_t i = 0; i < kPeers; ++i) peers.push_back(connect());
        for (RawPeer& peer : peers) {
            send_to_whom_it_may_reach(peer, std::to_string(peer.address().port) + "\n");
        }
    }
    EXPECT_TRUE(eventually([&] { return engine().connection_count() == 0; }));
    stop();
    EXPECT_EQ(wrong, 0U);
    EXPECT_GT(script.count("on_traffic"), 0U);
}

// D13: a stop that on_close asks for is lost where a failing write, or another connection's
// callback, was what closed it.
TEST_P(GnetDefect, StopThatOnCloseAsksForCountsWhoeverClosed) {
    script.traffic = [](Connection& peer) {
        peer.loop().for_each([&](Connection& other) {
            if (other.id() != peer.id()) other.close(CloseMode::now);
        });
        return Action::none;
    };
    script.close = [this](Connection&, CloseReason) { engine().request_stop(); };
    start();
    RawPeer first = connect();
    opened(0);
    RawPeer second = connect();
    opened(1);
    second.send("close the other");
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->requested_by, "api");
}

TEST_P(GnetDefect, StopThatOnCloseAsksForCountsAfterAFailedWrite) {
    script.close = [this](Connection&, CloseReason) { engine().request_stop(); };
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    peer.reset();
    while (engine().write(id, "x")) let_others_run();
    ASSERT_TRUE(engine().wait());
    EXPECT_EQ(script.count("on_close"), 1U);
}

BERTH_FOR_EACH_DRIVER(GnetDefect);
BERTH_FOR_EACH_FAMILY(GnetDefectAnywhere);

}  // namespace
}  // namespace berth::test
