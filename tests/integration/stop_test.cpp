// SPDX-License-Identifier: MIT
//
// Stopping: nobody is cut off before the deadline, and what the deadline costs is written down.

#include "integration/support_engine.hpp"

#include <optional>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kToStop = 8U << 20U;

class Stopping : public AnEngine {};

TEST_P(Stopping, ReportIsTheLastLineOfTheLog) {
    start();
    const StopReport report = stop();
    EXPECT_TRUE(journal.has(LogLevel::info, "to=stopped"));
    EXPECT_EQ(journal.last(), report.to_string());
}

TEST_P(Stopping, IsNotReadyFromTheMomentItIsAsked) {
    start();
    EXPECT_TRUE(engine().is_ready());
    engine().request_stop();
    EXPECT_FALSE(engine().is_ready());
}

TEST_P(Stopping, IdleConnectionsEndInOrderAndFast) {
    options.linger = patience();
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 20; ++i) peers.push_back(connect());
    opened(19);
    engine().request_stop();
    for (RawPeer& peer : peers) {
        EXPECT_EQ(peer.read_to_end(), "");
        EXPECT_EQ(peer.ended(), Ended::by_fin);
        peer.close();
    }
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_EQ(report.connections.at_start, 20U);
    EXPECT_EQ(closed_by(report, CloseReason::stop_graceful), 20U);
    EXPECT_LT(report.duration, seconds{1});
}

TEST_P(Stopping, WithoutConnectionsItIsOverAtOnce) {
    start();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_LT(report.duration, seconds{1});
    EXPECT_EQ(report.loops.joined, 1U);
    EXPECT_TRUE(report.loops.stuck.empty());
    EXPECT_EQ(report.tasks.run, 0U) << "nobody posted any";
}

TEST_P(Stopping, PhasesFollowEachOtherWithoutAGap) {
    start();
    const StopReport report = stop();
    std::vector<std::string_view> names;
    Duration end{};
    for (const StopReport::Phase& phase : report.phases) {
        names.push_back(phase.name);
        EXPECT_GE(phase.start, end);
        end = phase.start + phase.duration;
    }
    EXPECT_EQ(names, (std::vector<std::string_view>{"quiesce", "drain", "reclaim", "verify"}));
    EXPECT_LE(end, report.duration);
}

TEST_P(Stopping, RequestInTheReceiveQueueIsAnswered) {
    Gate entered;
    Gate leave;
    script.traffic = [&](Connection& peer) {
        if (as_text(peer.peek()) == "block") {
            entered.open();
            EXPECT_TRUE(leave.pass());
        }
        return echo(peer);
    };
    start();
    RawPeer blocker = connect();
    RawPeer peer = connect();
    opened(1);
    blocker.send("block");
    ASSERT_TRUE(entered.pass());
    peer.send("in time");
    engine().request_stop();
    leave.open();
    EXPECT_EQ(peer.read_to_end(), "in time");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    stop();
}

// Over a Unix socket: what was sent is in the receive queue, however full that is.
TEST_P(Stopping, ManyRequestsInTheReceiveQueueAreAllAnswered) {
    Gate entered;
    Gate leave;
    options.read_budget = 32U << 10U;  // per iteration
    script.traffic = echo;
    script.drain = [&](Connection&, Deadline) {
        entered.open();
        EXPECT_TRUE(leave.pass());
        return Action::close;
    };
    start(unix_address("socket"));
    RawPeer peer = connect();
    opened();
    engine().request_stop();
    ASSERT_TRUE(entered.pass());
    const std::size_t sent = peer.send_now(pattern(1U << 20U));
    leave.open();
    EXPECT_GT(sent, 128U << 10U) << "more than a few times the budget";
    EXPECT_EQ(peer.read_to_end().size(), sent);
    stop();
}

TEST_P(Stopping, RequestBehindAPauseIsAnswered) {
    script.open = [](Connection& peer) { return peer.pause_read(), Action::none; };
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    opened();
    peer.send("held back");
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end(), "held back");
}

TEST_P(Stopping, ClientsInTheAcceptQueueAreServed) {
    Gate entered;
    Gate leave;
    script.traffic = [&](Connection& peer) {
        if (as_text(peer.peek()) == "block") {
            entered.open();
            EXPECT_TRUE(leave.pass());
        }
        return echo(peer);
    };
    start();
    RawPeer blocker = connect();
    blocker.send("block");
    ASSERT_TRUE(entered.pass());
    RawPeer late = connect();
    late.send("late");
    engine().request_stop();
    ASSERT_TRUE(eventually([&] { return engine().state() != EngineState::ready; }));
    leave.open();
    EXPECT_EQ(late.read_to_end(), "late");
    const StopReport report = stop();
    EXPECT_EQ(report.connections.opened_during_stop, 1U);
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
}

TEST_P(Stopping, QueuedOutputIsDeliveredBeforeTheFin) {
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(kToStop))), Action::none;
    };
    options.linger = patience();
    start();
    RawPeer peer = connect_slow();
    opened();
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end(), pattern(kToStop));
    peer.close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
    EXPECT_EQ(report.bytes.written, kToStop);
    EXPECT_EQ(report.bytes.acknowledged, kToStop);
}

TEST_P(Stopping, HalfClosedConnectionThatStillOwesOutputIsAskedToo) {
    script.open = [](Connection& peer) {
        peer.write(Buffer::adopt(pattern(kToStop)));
        peer.end();
        return Action::none;
    };
    options.drain = seconds{60};  // more than the test has
    start();
    RawPeer peer = connect_slow();
    opened();
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end().size(), kToStop);
    EXPECT_EQ(stop().connections.forced, 0U);  // although the peer never sends its FIN
    EXPECT_EQ(script.count("on_drain"), 1U);
}

// ── Handlers that want more time ─────────────────────────────────────────────────────────────

TEST_P(Stopping, HandlerThatIsBusyFinishesItsWork) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    script.traffic = [](Connection& peer) { return echo(peer), Action::close; };
    start();
    RawPeer peer = connect();
    opened();
    engine().request_stop();
    ASSERT_TRUE(eventually([&] { return script.count("on_drain") == 1; }));
    peer.send("rest of the request");
    EXPECT_EQ(peer.read_to_end(), "rest of the request");
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::clean);
    EXPECT_EQ(closed_by(report, CloseReason::local_close), 1U);
}

TEST_P(Stopping, OnDrainKnowsTheDeadline) {
    Deadline told;
    script.drain = [&](Connection&, Deadline deadline) { return told = deadline, Action::close; };
    start();
    const RawPeer peer = connect();
    opened();
    const Deadline wanted = within(seconds{2});
    engine().request_stop(wanted);
    stop();
    EXPECT_EQ(told, wanted);
}

TEST_P(Stopping, DeadlineResetsWhoeverStays) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    script.open = [](Connection& peer) {
        return peer.write(Buffer::adopt(pattern(kToStop))), Action::none;
    };
    start();
    RawPeer peer = connect_slow();
    opened();
    const StopReport report = stop_within(milliseconds{30});
    EXPECT_EQ(report.outcome, StopOutcome::forced);
    EXPECT_EQ(report.exit_code(), 3);
    EXPECT_EQ(report.connections.forced, 1U);
    EXPECT_EQ(closed_by(report, CloseReason::stop_forced), 1U);
    EXPECT_EQ(report.bytes.written, kToStop);
    EXPECT_GT(report.bytes.discarded, 0U);
    expect_balanced(report.bytes);
    peer.read_to_end();
    EXPECT_EQ(peer.ended(), Ended::by_reset);
}

TEST_P(Stopping, WhoHasSaidAllAtTheDeadlineIsNotForced) {
    script.open = [](Connection& peer) { return peer.write("all"), peer.end(), Action::none; };
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), "all");
    EXPECT_EQ(stop_within(milliseconds{100}).connections.forced, 0U);
    EXPECT_EQ(script.reasons(), std::vector{CloseReason::stop_graceful});
}

TEST_P(Stopping, DeadlineInThePastForcesAtOnce) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start();
    RawPeer peer = connect();
    opened();
    const StopReport report = stop_within(-seconds{1});
    EXPECT_EQ(report.connections.forced, 1U);
    EXPECT_EQ(report.exit_code(), 3);
    EXPECT_LT(report.duration, seconds{1});
    peer.read_to_end();
    EXPECT_NE(peer.ended(), Ended::not_yet);
}

TEST_P(Stopping, EarliestDeadlineWins) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start();
    const RawPeer peer = connect();
    opened();
    engine().request_stop(within(seconds{3600}));
    ASSERT_TRUE(eventually([&] { return script.count("on_drain") == 1; }));
    engine().request_stop(within(milliseconds{10}));
    engine().request_stop(within(seconds{1800}));
    EXPECT_EQ(stop().connections.forced, 1U);
}

TEST_P(Stopping, DrainOfForEverWaitsForTheHandler) {
    options.drain = kNever;
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start();
    RawPeer peer = connect();
    opened();
    engine().request_stop();
    ASSERT_TRUE(eventually([&] { return script.count("on_drain") == 1; }));
    peer.close();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Stopping, BytesWrittenToAPeerThatIsGoneAreNotAcknowledged) {
    Gate entered;
    Gate leave;
    script.drain = [&](Connection& peer, Deadline) {
        entered.open();
        EXPECT_TRUE(leave.pass());
        peer.write("too late");
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    opened();
    engine().request_stop();
    ASSERT_TRUE(entered.pass());
    peer.reset();
    leave.open();
    const StopReport report = stop();
    EXPECT_EQ(report.bytes.written, 8U);
    EXPECT_EQ(report.bytes.acknowledged, 0U);
    expect_balanced(report.bytes);
}

TEST_P(Stopping, RequestsAfterOurFinAreCounted) {
    options.linger = patience();
    start();
    RawPeer peer = connect();
    opened();
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end(), "");
    peer.send("too late");
    peer.close();
    EXPECT_EQ(stop().bytes.received_after_fin, 8U);
}

// A client that was accepted after the deadline had passed is forced like the others.
TEST_P(Stopping, ClientsInTheAcceptQueueAreForcedWithTheOthers) {
    Gate entered;
    Gate leave;
    script.drain = [](Connection&, Deadline) { return Action::none; };
    script.traffic = [&](Connection&) {
        entered.open();
        EXPECT_TRUE(leave.pass());
        return Action::none;
    };
    start();
    RawPeer blocker = connect();
    blocker.send("block");
    ASSERT_TRUE(entered.pass());
    const RawPeer late = connect();
    engine().request_stop(engine().now());
    leave.open();
    stop();
    EXPECT_EQ(script.count("on_open"), script.count("on_close"));
    EXPECT_EQ(engine().connection_count(), 0U);
}

TEST_P(Stopping, OnShutdownGetsTheReportThatStopReturns) {
    std::string told;
    script.shutdown = [&](const StopReport& report) { told = report.to_json(); };
    start();
    EXPECT_EQ(stop().to_json(), told);
}

// While a connection keeps the stop waiting, the next server takes the address.
class Successor : public Stopping {
protected:
    void SetUp() override {
        Stopping::SetUp();
        if (IsSkipped()) return;
        script.drain = [](Connection&, Deadline) { return Action::none; };
        script.traffic = echo;
        start();
        where = target();
        staying.emplace(connect());
        opened();
        engine().request_stop();
        ASSERT_TRUE(eventually([&] { return script.count("on_drain") == 1; }));
        next = make_engine(next_script);
        ASSERT_TRUE(next->start(where.to_string()));
    }

    Endpoint where;
    Script next_script;
    std::optional<RawPeer> staying;
    std::unique_ptr<Engine> next;
};

TEST_P(Successor, IsConnectedToWhileThePredecessorServesItsOwn) {
    const RawPeer fresh = connect_to(where);
    EXPECT_TRUE(eventually([&] { return next_script.opened().size() == 1; }));
    EXPECT_EQ(script.opened().size(), 1U);
    staying->send("old");
    EXPECT_EQ(staying->read(3), "old");
}

TEST_P(Successor, HoldsTheAddressAndTheReportSaysSo) {
    staying->close();
    const StopReport report = stop();
    EXPECT_EQ(report.outcome, StopOutcome::port_held);
    EXPECT_EQ(report.exit_code(), 4);
    EXPECT_FALSE(report.ok());
}

BERTH_FOR_EACH_DRIVER(Stopping);
BERTH_FOR_EACH_DRIVER(Successor);

}  // namespace
}  // namespace berth::test
