// SPDX-License-Identifier: MIT
//
// Output: the order of writes of every kind, and what happens when the peer does not read.

#include "integration/support_engine.hpp"

#include <thread>

namespace berth::test {
namespace {

class Output : public AnEngine {
protected:
    // More than the kernel takes for a peer that does not read.
    static constexpr std::size_t kPlenty = 4U << 20U;
};

// Writes small, large, moved and shared pieces of one pattern, one after the other.
class Pieces {
public:
    void write_all(Connection& peer) {
        for (std::size_t turn = 0; at_ < whole_.size(); ++turn) {
            const std::size_t size = kSizes[turn % std::size(kSizes)];
            const auto piece = std::string_view(whole_).substr(at_, size);
            at_ += piece.size();
            switch (turn % 3) {
                case 0: peer.write(piece); break;
                case 1: peer.write(Buffer::copy_of(piece)); break;
                default: peer.write(Buffer::adopt(std::string(piece)).share()); break;
            }
        }
    }
    const std::string& whole() const { return whole_; }

private:
    static constexpr std::size_t kSizes[] = {1, 70'000, 5, 8'192, 3, 4'096, 20'000, 100};
    std::string whole_ = pattern(2U << 20U);
    std::size_t at_ = 0;
};

TEST_P(Output, KeepsTheOrderOfSmallLargeAndMovedWritesInACallback) {
    Pieces pieces;
    script.open = [&](Connection& peer) { return pieces.write_all(peer), Action::none; };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read(pieces.whole().size()), pieces.whole());
    settle();
}

TEST_P(Output, KeepsTheOrderTowardsAPeerThatIsSlow) {
    Pieces pieces;
    script.open = [&](Connection& peer) { return pieces.write_all(peer), Action::none; };
    start();
    RawPeer peer = connect_slow();
    EXPECT_EQ(peer.read(pieces.whole().size()), pieces.whole());
    settle();
}

TEST_P(Output, KeepsTheOrderOfWritesOutsideATurn) {
    Pieces pieces;
    start();
    RawPeer peer = connect();
    ASSERT_TRUE(engine().post(opened(), [&](Connection& here) { pieces.write_all(here); }));
    EXPECT_EQ(peer.read(pieces.whole().size()), pieces.whole());
    settle();
}

TEST_P(Output, KeepsTheOrderOfWritesByIdAndTasks) {
    start();
    RawPeer peer = connect_slow();
    const ConnectionId id = opened();
    const std::string whole = pattern(1U << 20U);
    for (std::size_t at = 0, turn = 0; at < whole.size(); at += 8'192, ++turn) {
        std::string piece = whole.substr(at, 8'192);
        if (turn % 2 == 0) {
            ASSERT_TRUE(engine().write(id, Buffer::adopt(std::move(piece))));
        } else {
            ASSERT_TRUE(engine().post(
                id, [piece = std::move(piece)](Connection& here) { here.write(piece); }));
        }
    }
    EXPECT_EQ(peer.read(whole.size()), whole);
}

TEST_P(Output, OneBufferReachesEveryPeerUnchanged) {
    start();
    RawPeer first = connect();
    RawPeer second = connect_slow();
    opened(1);
    const std::string sent = pattern(1U << 20U);
    const Buffer shared = Buffer::copy_of(sent);
    std::size_t taken = 0;
    on_loop([&](EventLoop& loop) { taken = loop.broadcast(shared); });
    EXPECT_EQ(taken, 2U);
    std::string read_first;
    std::jthread reader([&] { read_first = first.read(sent.size()); });
    EXPECT_EQ(second.read(sent.size()), sent);
    reader.join();
    EXPECT_EQ(read_first, sent);
}

TEST_P(Output, WritesOfOneCallbackAreQueuedUntilItReturns) {
    std::size_t unsent = 0;
    script.open = [&](Connection& peer) {
        peer.write("ab");
        peer.write(Buffer::copy_of("cd"));
        unsent = peer.unsent();
        peer.flush();
        unsent = unsent * 10 + peer.unsent();
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read(4), "abcd");
    settle();
    EXPECT_EQ(unsent, 40U);
}

TEST_P(Output, FlushDoesNotWaitForTheCallbackToReturn) {
    Gate gate;
    script.open = [&](Connection& peer) {
        peer.write("now");
        peer.flush();
        EXPECT_TRUE(gate.pass());
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read(3), "now");
    gate.open();
}

TEST_P(Output, EmptyWriteCompletes) {
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    EXPECT_EQ(delivered([&](Completion done) { return engine().write(id, "", std::move(done)); }),
              Delivery::written);
}

// ── Back-pressure ────────────────────────────────────────────────────────────────────────────

TEST_P(Output, AboveHighItSaysSoAndOnWritableFollowsOnce) {
    options.output_max = 2 * kPlenty;
    WriteStatus first{};
    WriteStatus second{};
    std::size_t left = options.output_max;
    script.open = [&](Connection& peer) {
        first = peer.write("little");
        second = peer.write(Buffer::adopt(pattern(kPlenty)));
        return Action::none;
    };
    script.writable = [&](Connection& peer) { left = peer.unsent(); };
    start();
    RawPeer peer = connect_slow();
    opened();
    settle();
    EXPECT_EQ(script.count("on_writable"), 0U);
    EXPECT_EQ(peer.read(kPlenty + 6), "little" + pattern(kPlenty));
    EXPECT_TRUE(eventually([&] { return script.count("on_writable") == 1; }));
    settle();
    EXPECT_EQ(first, WriteStatus::queued);
    EXPECT_EQ(second, WriteStatus::over_high);
    EXPECT_LE(left, options.output_low);
}

TEST_P(Output, PeerThatDoesNotReadIsNotReadEither) {
    script.traffic = [&](Connection& peer) {
        peer.discard();
        peer.write(Buffer::adopt(pattern(kPlenty)));
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    peer.send("1");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 1; }));
    peer.send("2");
    settle();
    settle();
    EXPECT_EQ(script.count("on_traffic"), 1U);
    EXPECT_EQ(peer.read(kPlenty).size(), kPlenty);
    EXPECT_EQ(peer.read(kPlenty).size(), kPlenty);
}

TEST_P(Output, WritePastTheMaximumIsRefusedWholeAndEndsTheConnection) {
    options.output_max = 1U << 20U;
    WriteStatus status{};
    script.open = [&](Connection& peer) {
        do {
            status = peer.write(Buffer::adopt(pattern(300'000)));
            peer.flush();
        } while (status != WriteStatus::refused);
        EXPECT_FALSE(peer.is_open());
        EXPECT_EQ(peer.write("more"), WriteStatus::refused);
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    EXPECT_EQ(closed(), CloseReason::outbound_overflow);
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_reset);
}

TEST_P(Output, OnWritableMayWriteOn) {
    int rounds = 0;
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(kPlenty))), Action::none;
    };
    script.writable = [&](Connection& peer) {
        if (++rounds < 3) peer.write(Buffer::adopt(pattern(kPlenty)));
        if (rounds == 3) peer.close();
    };
    start();
    RawPeer peer = connect_slow();
    EXPECT_EQ(peer.read_to_end().size(), 3 * kPlenty);
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    settle();
}

TEST_P(Output, CompletionOfALargeWriteWaitsForThePeer) {
    std::atomic<bool> written = false;
    start();
    RawPeer peer = connect_slow();
    engine().write(opened(), Buffer::adopt(pattern(kPlenty)), [&](ConnectionId, Delivery how) {
        EXPECT_EQ(how, Delivery::written);
        written = true;
    });
    settle();
    settle();
    EXPECT_FALSE(written);
    EXPECT_EQ(peer.read(kPlenty).size(), kPlenty);
    EXPECT_TRUE(eventually([&] { return written.load(); }));
}

BERTH_FOR_EACH_DRIVER(Output);

}  // namespace
}  // namespace berth::test
