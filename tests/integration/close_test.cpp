// SPDX-License-Identifier: MIT
//
// Closing: the three modes, half-closes from both sides, resets, and who may close whom.

#include "integration/support_engine.hpp"

#include <array>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kToClose = 4U << 20U;

class Closing : public AnEngine {};
class Resetting : public AnEngine {};  // where there are resets

TEST_P(Closing, AfterFlushSendsEverythingBeforeTheFin) {
    script.open = [](Connection& peer) {
        peer.write(Buffer::adopt(pattern(kToClose)));
        return Action::close;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), pattern(kToClose));
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    peer.close();
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(Closing, AnswerIsCompleteAlthoughTheRequestWasNotReadToItsEnd) {
    options.linger = patience();
    script.traffic = [](Connection& peer) {
        peer.write(pattern(100'000));
        peer.close();
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send(pattern(50'000));
    EXPECT_EQ(peer.read(10), pattern(10));
    peer.send(pattern(50'000));  // a request that is no longer wanted
    EXPECT_EQ(peer.read_to_end().size(), 100'000U - 10U);
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

TEST_P(Closing, PeerThatNeverClosesIsWaitedForNoLongerThanLinger) {
    options.linger = milliseconds{20};
    script.open = [](Connection&) { return Action::close; };
    start();
    const RawPeer peer = connect();
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(Closing, WithoutLingerItIsOverAtOnce) {
    options.linger = {};
    script.open = [](Connection& peer) { return peer.write("bye"), Action::close; };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), "bye");
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(Closing, NowIsOrderlyWhenNothingIsLost) {
    script.open = [](Connection& peer) { return peer.close(CloseMode::now), Action::none; };
    start();
    RawPeer peer = connect();
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(Closing, IsIdempotentAndStricterModesOverrideGentlerOnes) {
    script.traffic = [](Connection& peer) {
        peer.write(Buffer::adopt(pattern(kToClose)));
        peer.close();
        peer.close();
        peer.close(CloseMode::reset);
        peer.close(CloseMode::after_flush);
        peer.end();
        peer.flush();
        peer.pause_read();
        peer.resume_read();
        return Action::close;
    };
    start();
    RawPeer peer = connect_slow();
    peer.send("x");
    EXPECT_EQ(closed(), CloseReason::local_close);
    EXPECT_LT(peer.read_to_end().size(), kToClose);
    EXPECT_EQ(script.count("on_close"), 1U);
}

TEST_P(Closing, ClosedConnectionCannotBeWrittenButStillAsked) {
    std::array<bool, 2> open{true, true};
    WriteStatus status{};
    script.open = [&](Connection& peer) {
        peer.close(CloseMode::now);
        open[0] = peer.is_open();
        return Action::none;
    };
    script.close = [&](Connection& peer, CloseReason) {
        open[1] = peer.is_open();
        status = peer.write("late");
        peer.close(CloseMode::reset);
    };
    start();
    const RawPeer peer = connect();
    closed();
    EXPECT_FALSE(open[0] || open[1]);
    EXPECT_EQ(status, WriteStatus::refused);
}

// ── Half-closes ──────────────────────────────────────────────────────────────────────────────

TEST_P(Closing, OnEndMayKeepSending) {
    script.end = [](Connection& peer) { return peer.write("after"), Action::none; };
    start();
    RawPeer peer = connect();
    peer.end();
    EXPECT_EQ(peer.read(5), "after");
    ASSERT_TRUE(engine().post(opened(), [](Connection& here) { here.write(" more"); }));
    EXPECT_EQ(peer.read(5), " more");
    ASSERT_TRUE(engine().close(opened()));
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_EQ(script.count("on_end"), 1U);
}

TEST_P(Closing, OnEndStillSeesWhatIsUnread) {
    script.end = [](Connection& peer) { return echo(peer), Action::close; };
    start();
    RawPeer peer = connect();
    peer.send("unread");
    peer.end();
    EXPECT_EQ(peer.read_to_end(), "unread");
}

TEST_P(Closing, WakeRunsOnTrafficAlsoAfterThePeersEnd) {
    script.end = [](Connection&) { return Action::none; };
    script.traffic = [](Connection& peer) { return peer.write("traffic"), Action::none; };
    start();
    RawPeer peer = connect();
    peer.end();
    ASSERT_TRUE(eventually([&] { return script.count("on_end") == 1; }));
    ASSERT_TRUE(engine().wake(opened()));
    ASSERT_TRUE(engine().close(opened()));
    EXPECT_EQ(peer.read_to_end(), "traffic");
}

TEST_P(Closing, EndSendsAFinAndReadsOn) {
    std::string heard;
    script.open = [](Connection& peer) {
        peer.write("all I say");
        peer.end();
        EXPECT_EQ(peer.write("more"), WriteStatus::refused);
        return Action::none;
    };
    script.traffic = [&](Connection& peer) {
        heard += as_text(peer.next());
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), "all I say");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    peer.send("but I do");
    peer.end();
    EXPECT_EQ(closed(), CloseReason::peer_end);
    EXPECT_EQ(heard, "but I do");
    EXPECT_EQ(script.count("on_end"), 1U);
}

TEST_P(Closing, EndWaitsForQueuedOutput) {
    script.open = [](Connection& peer) {
        peer.write(Buffer::adopt(pattern(kToClose)));
        peer.end();
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    EXPECT_EQ(peer.read_to_end(), pattern(kToClose));
    peer.close();
    EXPECT_EQ(closed(), CloseReason::peer_end);
}

TEST_P(Closing, BothEndsEndedIsAnOrderlyEnd) {
    script.end = [](Connection& peer) { return peer.end(), Action::none; };
    start();
    RawPeer peer = connect();
    peer.end();
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(closed(), CloseReason::peer_end);
}

// ── Who closes whom ──────────────────────────────────────────────────────────────────────────

TEST_P(Closing, HandlerMayCloseAnotherConnection) {
    script.traffic = [&](Connection& peer) {
        Connection* other = peer.loop().find(script.opened().front());
        if (other != nullptr && other != &peer) other->close(CloseMode::now);
        return echo(peer);
    };
    start();
    RawPeer victim = connect();
    opened();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read(1), "x");
    EXPECT_EQ(victim.read_to_end(), "");
    closed();
    EXPECT_EQ(script.closed(), std::vector{opened(0)});
}

TEST_P(Closing, HandlerMayCloseEveryConnectionFromEveryCallback) {
    constexpr std::array kModes{CloseMode::reset, CloseMode::now, CloseMode::after_flush};
    const auto close_all = [&](Connection& peer) {
        const CloseMode mode = kModes[script.calls().size() % kModes.size()];
        peer.loop().for_each([&](Connection& each) { each.close(mode); });
        return Action::none;
    };
    script.traffic = close_all;
    script.end = close_all;
    script.close = [&](Connection& peer, CloseReason) { close_all(peer); };
    start();
    for (std::size_t round = 0; round < 5; ++round) {
        std::vector<RawPeer> peers;
        for (int i = 0; i < 10; ++i) peers.push_back(connect());
        opened(10 * round + 9);
        try {
            for (RawPeer& peer : peers) peer.send("x");
        } catch (const std::system_error&) {  // closed already
        }
        // Or the end of one of these would reset one of the next round while it connects.
        peers.clear();
        ASSERT_TRUE(eventually([&] { return script.closed().size() == 10 * (round + 1); }));
    }
    EXPECT_EQ(engine().connection_count(), 0U);
}

// ── Resets ───────────────────────────────────────────────────────────────────────────────────

TEST_P(Resetting, ResetIsSeenAsOneByThePeer) {
    script.traffic = [](Connection& peer) {
        peer.write("lost");
        peer.close(CloseMode::reset);
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(peer.ended(), Ended::by_reset);
    EXPECT_EQ(closed(), CloseReason::local_close);
}

TEST_P(Resetting, NowIsAResetWhenQueuedBytesAreLost) {
    script.traffic = [](Connection& peer) {
        peer.write(Buffer::adopt(pattern(kToClose)));
        peer.flush();
        peer.close(CloseMode::now);
        return Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    peer.send("x");
    EXPECT_LT(peer.read_to_end().size(), kToClose);
    EXPECT_EQ(peer.ended(), Ended::by_reset);
}

TEST_P(Resetting, CountersInOnCloseTellWhatWasLost) {
    ConnectionCounters counters;
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(kToClose))), Action::none;
    };
    script.close = [&](Connection& peer, CloseReason) { counters = peer.counters(); };
    start();
    RawPeer peer = connect_slow();
    opened();
    settle();
    peer.reset();
    closed();
    EXPECT_EQ(counters.bytes_written, kToClose);
    EXPECT_LT(counters.bytes_sent, kToClose);
}

TEST_P(Resetting, PeersResetEndsTheConnection) {
    start();
    RawPeer peer = connect();
    opened();
    peer.reset();
    EXPECT_EQ(closed(), CloseReason::peer_reset);
    EXPECT_EQ(script.count("on_end"), 0U);
}

TEST_P(Resetting, PeersResetEndsAConnectionThatOwesOutput) {
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(kToClose))), Action::close;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    peer.reset();
    EXPECT_EQ(closed(), CloseReason::peer_reset);
}

TEST_P(Resetting, PeersResetAfterItsFinEndsAConnectionThatIsStillWritten) {
    script.end = [](Connection&) { return Action::none; };
    script.tick = [](EventLoop& loop) {
        loop.for_each([](Connection& each) { each.write("."); });
        return milliseconds{1};
    };
    start();
    RawPeer peer = connect();
    peer.end();
    ASSERT_TRUE(eventually([&] { return script.count("on_end") == 1; }));
    peer.reset();
    EXPECT_EQ(closed(), CloseReason::peer_reset);
}

// Nothing is read after the FIN, and nothing is written: only the kernel's error tells.
TEST_P(Resetting, PeersResetAfterItsFinEndsAConnectionThatIsIdle) {
    script.end = [](Connection&) { return Action::none; };
    start();
    RawPeer peer = connect();
    peer.end();
    ASSERT_TRUE(eventually([&] { return script.count("on_end") == 1; }));
    peer.reset();
    EXPECT_EQ(closed(), CloseReason::peer_reset);
}

BERTH_FOR_EACH_FAMILY(Closing);
BERTH_FOR_EACH_DRIVER(Resetting);

}  // namespace
}  // namespace berth::test
