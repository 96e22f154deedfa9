// SPDX-License-Identifier: MIT
//
// Corners: calls that come too early, too late, twice or empty, and what must not come of them.

#include "integration/support_engine.hpp"

#include <atomic>
#include <stdexcept>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class Corners : public AnEngine {};

// ── Reading ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Corners, ResumingWhatIsNotPausedChangesNothing) {
    script.open = [](Connection& peer) { return peer.resume_read(), Action::none; };
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    peer.send("read once");
    EXPECT_EQ(peer.read(9), "read once");
    EXPECT_EQ(script.count("on_traffic"), 1U);
}

TEST_P(Corners, PausingTwiceAndResumingOnceReadsAgain) {
    script.open = [](Connection& peer) {
        return peer.pause_read(), peer.pause_read(), Action::none;
    };
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    peer.send("one resume");
    engine().post(opened(), [](Connection& here) { here.resume_read(); });
    EXPECT_EQ(peer.read(10), "one resume");
}

TEST_P(Corners, WakeOfAPausedConnectionWaitsUntilItResumes) {
    script.open = [](Connection& peer) { return peer.pause_read(), Action::none; };
    script.traffic = [](Connection& peer) { return peer.write("woken"), Action::none; };
    start();
    RawPeer peer = connect();
    ASSERT_TRUE(engine().wake(opened()));
    settle();
    EXPECT_EQ(script.count("on_traffic"), 0U);
    engine().post(opened(), [](Connection& here) { here.resume_read(); });
    EXPECT_EQ(peer.read(5), "woken");
}

TEST_P(Corners, WakeAfterACloseIsNoTraffic) {
    script.open = [](Connection& peer) { return peer.end(), Action::close; };
    start();
    const RawPeer peer = connect();
    engine().wake(opened());
    settle();
    EXPECT_EQ(script.count("on_traffic"), 0U);
}

// ── Writing ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Corners, EmptyWritesSayHowItStandsAndSendNothing) {
    std::atomic<int> queued = 0;
    script.open = [&](Connection& peer) {
        queued += peer.write("") == WriteStatus::queued;
        queued += peer.write(Buffer()) == WriteStatus::queued;
        queued += peer.write("end") == WriteStatus::queued;
        return Action::close;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), "end");
    EXPECT_EQ(queued, 3);
}

TEST_P(Corners, BufferPastTheMaximumIsRefusedWholeAndEndsTheConnection) {
    options.output_high = options.output_low = options.output_max = 1000;
    std::atomic<bool> refused = false;
    script.open = [&](Connection& peer) {
        refused = peer.write(Buffer::adopt(pattern(1001))) == WriteStatus::refused;
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(closed(), CloseReason::outbound_overflow);
    EXPECT_TRUE(refused);
}

TEST_P(Corners, FlushSendsWhatWaitsBehindAQueueToo) {
    script.traffic = [](Connection& peer) {
        peer.discard();
        peer.write(Buffer::copy_of("queued, "));
        peer.write("then written");
        peer.flush();
        peer.flush();  // nothing is left
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read(20), "queued, then written");
}

TEST_P(Corners, LongWriteBehindAShortOneLeavesWithIt) {
    const std::string rest = pattern(100'000);
    script.traffic = [&](Connection& peer) {
        peer.discard();
        peer.write("short, ");
        peer.write(rest);
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read(7 + rest.size()), "short, " + rest);
    settle();
}

TEST_P(Corners, LongWriteToAPeerThatIsGoneIsRefused) {
    const std::string plenty = pattern(100'000);
    script.tick = [&](EventLoop& loop) {
        loop.for_each([&](Connection& each) {
            each.pause_read();  // so that only the send can hear of it
            each.write(plenty);
        });
        return milliseconds{1};
    };
    script.open = [](Connection& peer) { return peer.pause_read(), Action::none; };
    start();
    RawPeer peer = connect();
    opened();
    peer.reset();
    EXPECT_EQ(closed(), CloseReason::peer_reset);
    settle();
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Corners, IdleConnectionThatOwesOutputIsReset) {
    options.idle_timeout = milliseconds{50};
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(8U << 20U))), Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    EXPECT_EQ(closed(), CloseReason::idle_timeout);
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_reset);
}

TEST_P(Corners, ClosingAConnectionThatIsGoneChangesNothing) {
    script.traffic = [](Connection& peer) {
        peer.close(CloseMode::reset);
        peer.close(CloseMode::now);
        peer.close(CloseMode::after_flush);
        peer.flush();
        return Action::close;
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(closed(), CloseReason::local_close);
    settle();
    EXPECT_EQ(script.count("on_close"), 1U);
}

TEST_P(Corners, HandlerThatStopsTheEngineInOnEndIsObeyed) {
    script.end = [](Connection&) { return Action::shutdown; };
    start();
    RawPeer peer = connect();
    peer.end();
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->requested_by, "handler");
}

BERTH_FOR_EACH_TRANSPORT(Corners);

}  // namespace
}  // namespace berth::test
