// SPDX-License-Identifier: MIT
//
// gnet's TestSimServer: frames of a length-prefixed protocol, in batches; what a bounded batch
// leaves is delivered by a wake of the handler's own. docs/internals/gnet-scenarios.md
//
// A frame: magic 1314, two bytes; length, four bytes; both big-endian; body.

#include "integration/support_engine.hpp"

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>

namespace berth::test {
namespace {

constexpr std::size_t kHead = 6;
constexpr std::uint16_t kMagic = 1314;
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
constexpr std::string_view kGreeting = "andypan\r\n";
constexpr std::size_t kFramingClients = 10;
constexpr std::size_t kFramingRounds = 3;

struct Exchange {
    std::size_t size;   // of a body
    std::size_t batch;  // frames that a client sends at once
    std::size_t limit;  // frames that the server reads in one callback
};

void put(std::string& to, std::uint64_t value, int bytes) {
    while (bytes-- > 0) to.push_back(static_cast<char>(value >> (8 * bytes)));
}

std::uint32_t get(Bytes from) {
    std::uint32_t value = 0;
    for (const std::byte byte : from) value = value << 8U | std::to_integer<std::uint32_t>(byte);
    return value;
}

std::string frame(std::string_view body, std::uint16_t magic = kMagic) {
    std::string text;
    put(text, magic, 2);
    put(text, body.size(), 4);
    return text.append(body);
}

class GnetFrames : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        options.loops = 2;
        options.balance = Balance::round_robin;
        script.open = [](Connection& peer) { return peer.write(kGreeting), Action::none; };
        script.traffic = [this](Connection& peer) { return answer(peer); };
    }

    // Echoes whole frames; what is not whole, or past the limit, stays unread.
    Action answer(Connection& peer) {
        std::size_t left = limit_;
        for (; left > 0 && peer.unread() >= kHead; --left) {
            const Bytes all = peer.peek();
            if (get(all.first(2)) != kMagic) return Action::close;
            const std::size_t whole = kHead + get(all.subspan(2, 4));
            if (all.size() < whole) return Action::none;
            peer.write(peer.next(whole));
        }
        if (left == 0 && peer.unread() > 0) {
            ++wakes_;
            EXPECT_TRUE(engine().wake(peer.id()));
        }
        return Action::none;
    }

    void exchange(const Exchange& plan) {
        limit_ = plan.limit;
        std::vector<std::jthread> clients;
        for (std::size_t i = 0; i < kFramingClients; ++i) {
            clients.emplace_back([this, plan] { be_a_client(plan); });
        }
    }

    std::atomic<std::size_t> limit_ = kUnlimited;
    std::atomic<std::size_t> wakes_ = 0;

private:
    void be_a_client(const Exchange& plan) {
        RawPeer peer = connect();
        EXPECT_EQ(peer.read(kGreeting.size()), kGreeting);
        std::string batch;
        for (std::size_t i = 0; i < plan.batch; ++i) {
            std::string body = pattern(plan.size);
            body[0] = static_cast<char>(i);
            batch += frame(body);
        }
        for (std::size_t round = 0; round < kFramingRounds; ++round) {
            std::jthread sender([&] { peer.send(batch); });
            EXPECT_TRUE(peer.read(batch.size()) == batch) << plan.size << " x " << plan.batch;
        }
    }
};

TEST_P(GnetFrames, BatchesOfSmallFramesComeBackWhole) {
    start();
    exchange({.size = 64, .batch = 200, .limit = kUnlimited});
    exchange({.size = 256, .batch = 50, .limit = kUnlimited});
    exchange({.size = 1024, .batch = 20, .limit = kUnlimited});
}

TEST_P(GnetFrames, BatchesOfLargeFramesComeBackWhole) {
    start();
    exchange({.size = 128U << 10U, .batch = 5, .limit = kUnlimited});
    exchange({.size = 1U << 20U, .batch = 2, .limit = kUnlimited});
}

TEST_P(GnetFrames, WhatABoundedBatchLeavesIsDeliveredByAWakeOfItsOwn) {
    start();
    exchange({.size = 128, .batch = 100, .limit = 10});
    exchange({.size = 512, .batch = 30, .limit = 3});
    EXPECT_GT(wakes_, 0U);
}

TEST_P(GnetFrames, WhatABoundedBatchOfLargeFramesLeavesIsDeliveredToo) {
    start();
    exchange({.size = 64U << 10U, .batch = 10, .limit = 1});
    exchange({.size = 512U << 10U, .batch = 3, .limit = 1});
}

// Byte by byte: the handler sees the same head again and again, until the frame is whole.
TEST_P(GnetFrames, FrameInSingleBytesIsAnsweredOnceWhole) {
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read(kGreeting.size()), kGreeting);
    const std::string sent = frame("slow");
    for (const char byte : sent) {
        peer.send({&byte, 1});
        settle();
    }
    EXPECT_EQ(peer.read(sent.size()), sent);
}

TEST_P(GnetFrames, WrongMagicLosesItsConnectionAfterTheAnswersBeforeIt) {
    start();
    RawPeer peer = connect();
    peer.send(frame("right") + frame("wrong", kMagic + 1));
    EXPECT_EQ(peer.read_to_end(), std::string(kGreeting) + frame("right"));
    peer.close();
    EXPECT_EQ(closed(), CloseReason::local_close);
}

BERTH_FOR_EACH_DRIVER(GnetFrames);

}  // namespace
}  // namespace berth::test
