// SPDX-License-Identifier: MIT
//
// Draining: who is busy gets no FIN, who is not gets it soon, and who is told when.

#include "integration/support_engine.hpp"

#include <berth/event_loop.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kToDrain = 8U << 20U;

class Draining : public AnEngine {
protected:
    void request_stop_and_see_it_told() {
        engine().request_stop();
        ASSERT_TRUE(eventually([&] { return script.count("on_drain") > 0; }));
    }
};

// ── Requests in flight ───────────────────────────────────────────────────────────────────────

class Busy : public Draining {
protected:
    void SetUp() override {
        Draining::SetUp();
        script.traffic = [this](Connection& peer) {
            peer.discard();
            tokens.push_back(peer.begin());
            return Action::none;
        };
    }
    // A client whose request is being worked on.
    RawPeer ask() {
        RawPeer peer = connect();
        const std::size_t before = script.count("on_traffic");
        peer.send("?");
        EXPECT_TRUE(eventually([&] { return script.count("on_traffic") > before; }));
        settle();
        return peer;
    }

    std::vector<InFlight> tokens;
};

TEST_P(Busy, TokenHoldsTheFinBackUntilTheAnswerIsThere) {
    start();
    RawPeer peer = ask();
    request_stop_and_see_it_told();
    settle();
    settle();
    settle();
    EXPECT_EQ(peer.read_now(), "");
    EXPECT_EQ(peer.ended(), Ended::not_yet);
    std::thread worker([&] {
        engine().write(opened(), "the answer");
        tokens.clear();
    });
    EXPECT_EQ(peer.read_to_end(), "the answer");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    worker.join();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Busy, LastOfTwoTokensCounts) {
    start();
    RawPeer peer = ask();
    peer.send("?");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 2; }));
    settle();
    request_stop_and_see_it_told();
    tokens.pop_back();
    settle();
    settle();
    settle();
    peer.read_now();
    EXPECT_EQ(peer.ended(), Ended::not_yet);
    tokens.pop_back();
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

TEST_P(Busy, RequestThatArrivesWhileItIsBusyIsServed) {
    start();
    RawPeer peer = ask();
    request_stop_and_see_it_told();
    peer.send("?");
    ASSERT_TRUE(eventually([&] { return script.count("on_traffic") == 2; }));
    settle();
    engine().write(opened(), "two answers");
    tokens.clear();
    EXPECT_EQ(peer.read_to_end(), "two answers");
}

TEST_P(Busy, TokenMayOutliveItsConnection) {
    start();
    RawPeer peer = ask();
    peer.close();
    closed();
    tokens.clear();
    settle();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Busy, TokenThatMovesIsOneToken) {
    start();
    RawPeer peer = ask();
    InFlight moved = std::move(tokens.front());
    tokens.front() = InFlight();
    tokens.clear();
    EXPECT_EQ(moved.id(), opened());
    request_stop_and_see_it_told();
    settle();
    settle();
    settle();
    peer.read_now();
    EXPECT_EQ(peer.ended(), Ended::not_yet);
    moved.release();
    moved.release();
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

// A FIN would look like the end of an answer that never came.
TEST_P(Busy, WhoIsOwedAnAnswerAtTheDeadlineIsReset) {
    start();
    RawPeer peer = ask();
    const StopReport report = stop_within(milliseconds{50});
    EXPECT_EQ(report.outcome, StopOutcome::forced);
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_reset);
    tokens.clear();
}

// Closing many takes the kernel a while, and the deadline is when all is over.
TEST_P(Busy, WhoNeverMovesIsCutOffInTimeForTheDeadlineAndWhoIsOwedAnAnswerWaitsForIt) {
    options.linger = seconds{3600};
    std::size_t in_time = 0;
    bool waited = false;
    start();
    RawPeer owed = ask();
    const ConnectionId answers_to = opened(0);
    script.close = [&](Connection& peer, CloseReason) {
        const bool is_over = engine().state() == EngineState::forcing;
        if (peer.id() == answers_to) {
            waited = is_over;
        } else if (!is_over) {
            ++in_time;
        }
    };
    std::vector<RawPeer> never_move;
    for (int i = 0; i < 500; ++i) never_move.push_back(connect());
    opened(500);
    EXPECT_EQ(stop_within(milliseconds{500}).connections.at_start, 501U);
    EXPECT_GT(in_time, 0U) << "75 ms before the deadline";
    EXPECT_TRUE(waited);
    tokens.clear();
}

TEST_P(Busy, PauseOfAHandlerThatIsBusyIsRespected) {
    script.traffic = [this](Connection& peer) {
        peer.discard();
        peer.pause_read();
        tokens.push_back(peer.begin());
        return Action::none;
    };
    start();
    RawPeer peer = ask();
    peer.send("not before the answer");
    request_stop_and_see_it_told();
    settle();
    settle();
    EXPECT_EQ(script.count("on_traffic"), 1U);
    on_loop([&](EventLoop&) { tokens.clear(); });
    EXPECT_TRUE(eventually([&] { return script.count("on_traffic") == 2; }));
    on_loop([&](EventLoop&) { tokens.clear(); });
}

TEST_P(Draining, TaskThatWasQueuedBeforeTheFinIsRun) {
    Gate entered;
    Gate leave;
    script.drain = [&](Connection&, Deadline) {
        entered.open();
        EXPECT_TRUE(leave.pass());
        return Action::close;
    };
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    engine().request_stop();
    ASSERT_TRUE(entered.pass());
    engine().post(id, [](Connection& here) { here.write("queued"); });
    leave.open();
    EXPECT_EQ(peer.read_to_end(), "queued");
    peer.close();
    stop();  // and the loop has left the gates
}

// ── The first request ────────────────────────────────────────────────────────────────────────

TEST_P(Draining, FreshClientIsAnsweredBeforeItsFin) {
    options.first_request_grace = patience();
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    opened();
    request_stop_and_see_it_told();
    settle();
    settle();
    settle();
    peer.send("the first");
    EXPECT_EQ(peer.read_to_end(), "the first");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Draining, FreshClientThatSaysNothingIsWaitedForNoLongerThanTheGrace) {
    options.first_request_grace = milliseconds{200};
    start();
    RawPeer peer = connect();
    opened();
    const Instant began = engine().now();
    engine().request_stop();
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_GT(engine().now() - began, milliseconds{50});
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Draining, WhoHasAskedBeforeGetsNoGrace) {
    options.first_request_grace = patience();
    options.drain = patience();
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    peer.send("?");
    EXPECT_EQ(peer.read(1), "?");
    const Instant began = engine().now();
    engine().request_stop();
    peer.read_to_end();
    EXPECT_LT(engine().now() - began, patience() / 4);
}

TEST_P(Draining, GraceIsClippedToTheDeadline) {
    options.first_request_grace = seconds{3600};
    start();
    RawPeer peer = connect();
    opened();
    const StopReport report = stop_within(milliseconds{400});
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_fin);
}

// ── Who is told when ─────────────────────────────────────────────────────────────────────────

TEST_P(Draining, SpreadTellsOneAfterTheOther) {
    options.spread = milliseconds{300};
    std::vector<Instant> told;
    script.drain = [&](Connection& peer, Deadline) {
        told.push_back(peer.loop().now());
        return Action::close;
    };
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 10; ++i) peers.push_back(connect());
    opened(9);
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    ASSERT_EQ(told.size(), peers.size());
    EXPECT_GT(told.back() - told.front(), milliseconds{200}) << "less jitter and clock";
    EXPECT_GT(told[5], told[0]);
}

TEST_P(Draining, WhoWaitsToBeToldIsServed) {
    options.spread = patience() / 4;
    script.traffic = echo;
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 4; ++i) peers.push_back(connect());
    opened(3);
    engine().request_stop();
    ASSERT_TRUE(eventually([&] { return engine().state() == EngineState::draining; }));
    peers.back().send("still");
    EXPECT_EQ(peers.back().read(5), "still");
}

TEST_P(Draining, SpreadEndsWellBeforeTheDeadline) {
    options.spread = seconds{3600};
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 5; ++i) peers.push_back(connect());
    opened(4);
    EXPECT_EQ(stop_within(milliseconds{500}).outcome, StopOutcome::clean);
    EXPECT_EQ(script.count("on_drain"), 5U);
}

// ── Late ─────────────────────────────────────────────────────────────────────────────────────

TEST_P(Draining, WhoIsRefusedGetsAnEndInOrderAndNobodyIsTold) {
    Gate entered;
    Gate leave;
    options.late_accept = LateAccept::refuse;
    script.traffic = [&](Connection&) {
        entered.open();
        EXPECT_TRUE(leave.pass());
        return Action::none;
    };
    start();
    RawPeer blocker = connect();
    blocker.send("block");
    ASSERT_TRUE(entered.pass());
    RawPeer late = RawPeer::connect(target());
    late.send("a request that nobody reads");
    engine().request_stop();
    ASSERT_TRUE(eventually([&] { return engine().state() >= EngineState::lame_duck; }));
    leave.open();
    EXPECT_EQ(late.read_to_end(), "");
    EXPECT_EQ(late.ended(), Ended::by_fin);
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(script.opened().size(), 1U);
}

// ── Flush ────────────────────────────────────────────────────────────────────────────────────

TEST_P(Draining, PeerSlowerThanTheLeastRateIsReset) {
    options.send_rate_min = 1U << 20U;
    options.drain = seconds{3600};
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(kToDrain))), Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::forced);
    EXPECT_EQ(report.connections.forced, 1U);
    EXPECT_EQ(closed_by(report, CloseReason::stop_forced), 1U);
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_reset);
}

TEST_P(Draining, PeerThatKeepsUpIsNotMeasuredByWhatItIsNotOwed) {
    options.send_rate_min = 1U << 20U;
    script.drain = [](Connection&, Deadline) { return Action::none; };
    script.traffic = [](Connection& peer) { return echo(peer), Action::close; };
    start();
    RawPeer peer = connect();
    opened();
    request_stop_and_see_it_told();
    const Instant began = engine().now();
    ASSERT_TRUE(eventually([&] { return engine().now() - began > milliseconds{1200}; }));
    peer.send("little");
    EXPECT_EQ(peer.read_to_end(), "little");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

// ── Linger ───────────────────────────────────────────────────────────────────────────────────

TEST_P(Draining, WhoHasNotAcknowledgedEverythingIsWaitedForLongerThanLinger) {
    options.linger = milliseconds{1};
    options.not_sent_max = 0;  // so that much is left when our FIN is out
    constexpr std::size_t kSome = 512U << 10U;
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(kSome))), Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    request_stop_and_see_it_told();
    const Instant began = engine().now();
    ASSERT_TRUE(eventually([&] { return engine().now() - began > milliseconds{300}; }));
    EXPECT_EQ(engine().connection_count(), 1U);
    EXPECT_EQ(peer.read_to_end().size(), kSome);
    peer.close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(report.bytes.acknowledged, kSome);
}

BERTH_FOR_EACH_DRIVER(Draining);
BERTH_FOR_EACH_DRIVER(Busy);

}  // namespace
}  // namespace berth::test
