// SPDX-License-Identifier: MIT
//
// Options::memory_max: what all connections of an engine hold together.

#include "integration/support_engine.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class MemoryBound : public AnEngine {
protected:
    static constexpr std::size_t kMiB = std::size_t{1} << 20U;

    std::uint64_t held() { return engine().snapshot().outbound_bytes; }
    std::vector<RawPeer> connect_many(std::size_t count) {
        std::vector<RawPeer> peers;
        for (std::size_t i = 0; i < count; ++i) peers.push_back(connect_slow());
        opened(count - 1);
        return peers;
    }
    static void expect_served(RawPeer& peer) {
        peer.send("served");
        EXPECT_EQ(peer.read(6), "served");
    }
};

// Whoever does not keep up loses its own connection; who does is served on.
TEST_P(MemoryBound, StalledReceiversDoNotPassIt) {
    options.memory_max = 4 * kMiB;
    options.write_stall_timeout = Duration::zero();
    script.traffic = echo;
    start();
    RawPeer healthy = connect();
    expect_served(healthy);
    const std::vector<RawPeer> stalled = connect_many(20);
    const std::string block = pattern(100'000);
    std::uint64_t most = 0;
    for (int round = 0; round < 30; ++round) {
        on_loop([&](EventLoop& loop) {
            loop.for_each([&](Connection& each) {
                if (each.id() != opened(0)) each.write(block);
            });
        });
        most = std::max(most, held());
    }
    EXPECT_LE(most, options.memory_max);
    EXPECT_GT(most, options.memory_max / 2);
    EXPECT_EQ(closed(), CloseReason::memory_max);
    expect_served(healthy);
    for (const CloseReason reason : script.reasons()) EXPECT_EQ(reason, CloseReason::memory_max);
}

TEST_P(MemoryBound, IsLentToLoopsAndComesBack) {
    options.memory_max = 2 * kMiB;
    options.loops = 2;
    options.balance = Balance::round_robin;
    options.write_stall_timeout = Duration::zero();
    start();
    std::vector<RawPeer> peers;
    for (std::size_t i = 0; i < 2; ++i) {  // two loops at once would open them in any order
        peers.push_back(connect_slow());
        opened(i);
    }
    for (std::size_t round = 0; round < 6; ++round) {
        const ConnectionId id = opened(round % 2);
        on_loop([&](EventLoop& loop) { loop.find(id)->write(pattern(3 * kMiB / 2)); }, id.loop());
        peers[round % 2].read(3 * kMiB / 2);
        EXPECT_TRUE(eventually([&] { return held() == 0; }));
    }
    EXPECT_EQ(script.count("on_close"), 0U);
}

// Senders that read nothing are paused before it is used up: none of them is reset.
TEST_P(MemoryBound, ReadingPausesBeforeItIsUsedUp) {
    if (speaks_records()) GTEST_SKIP() << "it reads on, to be able to seal what it sends";
    options.memory_max = 16 * kMiB;
    options.output_high = options.output_max = 64 * kMiB;
    options.write_stall_timeout = Duration::zero();
    std::atomic<std::uint64_t> most = 0;
    script.traffic = [&](Connection& peer) {
        peer.write(peer.peek());
        peer.discard();
        return Action::none;
    };
    start();
    std::vector<RawPeer> peers = connect_many(4);
    const std::string block = pattern(64U << 10U);
    std::size_t stuck = 0;
    while (stuck < 2'000) {
        std::size_t sent = 0;
        for (RawPeer& peer : peers) sent += peer.send_now(block);
        stuck = sent == 0 ? stuck + 1 : 0;
        if (sent == 0) let_others_run();
        most = std::max<std::uint64_t>(most, held());
    }
    EXPECT_LE(most, options.memory_max);
    EXPECT_GE(most, options.memory_max / 2);
    EXPECT_EQ(script.count("on_close"), 0U);
}

TEST_P(MemoryBound, UnreadInputCountsToo) {
    options.memory_max = kMiB;
    start();
    RawPeer peer = connect();
    opened();
    std::size_t sent = 0;
    const std::string block = pattern(32U << 10U);
    try {
        while (sent < 64 * kMiB && script.closed().empty()) {
            sent += peer.send_now(block);
            let_others_run();
        }
    } catch (const std::exception&) {
        // reset while it was sending
    }
    EXPECT_EQ(closed(), CloseReason::memory_max);
}

BERTH_FOR_EACH_DRIVER(MemoryBound);

}  // namespace
}  // namespace berth::test
