// SPDX-License-Identifier: MIT
//
// Echo: what a peer sends comes back, byte for byte, over every kind of address.

#include "integration/support_engine.hpp"

#include <chrono>
#include <thread>

namespace berth::test {
namespace {

class Echo : public AnEngine {
protected:
    void start_echo() {
        script.traffic = echo;
        start();
    }

    // Sends from a second thread, so that neither side waits for the other.
    static std::string echoed(RawPeer& peer, const std::string& bytes) {
        std::jthread sender([&] { peer.send(bytes); });
        return peer.read(bytes.size());
    }
};

TEST_P(Echo, GivesBackMessagesOfEverySize) {
    start_echo();
    RawPeer peer = connect();
    for (const std::size_t size :
         {1UZ, 2UZ, 1023UZ, 8192UZ, 8193UZ, 65'535UZ, 65'536UZ, 65'537UZ, 1UZ << 20U}) {
        const std::string sent = pattern(size);
        ASSERT_EQ(echoed(peer, sent), sent) << size;
    }
}

TEST_P(Echo, GivesBackPipelinedMessagesInOrder) {
    start_echo();
    RawPeer peer = connect();
    std::string sent;
    for (int number = 0; number < 5'000; ++number) sent += std::to_string(number) + "\n";
    EXPECT_EQ(echoed(peer, sent), sent);
}

TEST_P(Echo, KeepsManyPeersApart) {
    start_echo();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 50; ++i) peers.push_back(connect());
    for (std::size_t i = 0; i < peers.size(); ++i) peers[i].send("peer " + std::to_string(100 + i));
    for (std::size_t i = 0; i < peers.size(); ++i) {
        EXPECT_EQ(peers[i].read(8), "peer " + std::to_string(100 + i));
    }
}

// Waits alternate between short ones and such as let the loop sleep.
TEST_P(Echo, AnswersWhileTheLoopPollsBusily) {
    options.busy_poll = std::chrono::microseconds{50};
    start_echo();
    RawPeer peer = connect();
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 20; ++i) ASSERT_EQ(echoed(peer, "ping"), "ping");
        let_others_run();
        settle();
    }
    peer.end();
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(closed(), CloseReason::peer_end);
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Echo, AnswersWhatCameBeforeThePeersFin) {
    start_echo();
    RawPeer peer = connect();
    peer.send("last words");
    peer.end();
    EXPECT_EQ(peer.read_to_end(), "last words");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_EQ(closed(), CloseReason::peer_end);
}

TEST_P(Echo, KnowsBothAddressesUntilOnClose) {
    Endpoint peer_seen;
    Endpoint local_seen;
    script.close = [&](Connection& peer, CloseReason) {
        peer_seen = peer.peer_endpoint();
        local_seen = peer.local_endpoint();
    };
    start();
    RawPeer peer = connect();
    const IpEndpoint own = peer.address();
    peer.close();
    closed();
    EXPECT_EQ(local_seen.to_string(), target().to_string());
    EXPECT_EQ(peer_seen.ip(), own);
    EXPECT_EQ(peer_seen.is_unix(), is_unix());
}

TEST_P(Echo, CountsEveryByte) {
    ConnectionCounters counters;
    script.traffic = echo;
    script.close = [&](Connection& peer, CloseReason) { counters = peer.counters(); };
    start();
    RawPeer peer = connect();
    echoed(peer, pattern(300'000));
    peer.close();
    closed();
    EXPECT_EQ(counters.bytes_received, 300'000U);
    EXPECT_EQ(counters.bytes_written, 300'000U);
    EXPECT_EQ(counters.bytes_sent, 300'000U);
}

TEST_P(Echo, StopsCleanWithEveryByteAccountedFor) {
    start_echo();
    RawPeer peer = connect();
    EXPECT_EQ(echoed(peer, "ping"), "ping");
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(report.exit_code(), 0);
    EXPECT_EQ(report.bytes.written, 4U);
    EXPECT_EQ(report.bytes.acknowledged, 4U);
    EXPECT_EQ(report.descriptors.before + 1, report.descriptors.after) << "the peer's";
    ASSERT_EQ(report.listeners.size(), 1U);
    EXPECT_TRUE(report.listeners[0].released) << report.listeners[0].cause;
}

// On a Unix socket the kernel counts memory, not bytes, as not yet taken by the peer.
TEST_P(Echo, StopsWithUnreadBytesAccountedFor) {
    script.open = [](Connection& peer) { return peer.write("unread"), Action::none; };
    start();
    const RawPeer peer = connect();
    opened();
    const StopReport report = stop();
    EXPECT_EQ(report.bytes.written, 6U);
    EXPECT_LE(report.bytes.acknowledged, 6U);
    EXPECT_LE(report.bytes.unconfirmed, 6U);
    EXPECT_EQ(report.bytes.discarded, 0U);
}

BERTH_FOR_EACH_FAMILY(Echo);

}  // namespace
}  // namespace berth::test
