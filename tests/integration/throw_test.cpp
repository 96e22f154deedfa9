// SPDX-License-Identifier: MIT
//
// Handlers that throw: each loses its own connection, and nothing else.

#include "integration/support_engine.hpp"

#include <stdexcept>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class Throwing : public AnEngine {
protected:
    [[noreturn]] static void fail() { throw std::runtime_error("on purpose"); }

    // The engine serves others as if nothing had happened, and the report knows.
    void expect_alive_and_counted(std::uint64_t exceptions) {
        throwing = false;
        RawPeer peer = connect();
        peer.send("alive");
        EXPECT_EQ(peer.read(5), "alive");
        peer.close();
        const StopReport report = stop();
        EXPECT_EQ(report.handler_exceptions, exceptions);
        EXPECT_EQ(report.outcome, StopOutcome::clean) << report.to_string();
        EXPECT_TRUE(journal.has(LogLevel::error, "on purpose"));
    }

    std::atomic<bool> throwing = true;
};

TEST_P(Throwing, OnOpenLosesItsConnection) {
    script.traffic = echo;
    script.open = [&](Connection&) { return throwing ? (fail(), Action::none) : Action::none; };
    start();
    const RawPeer peer = connect();
    EXPECT_EQ(closed(), CloseReason::handler_threw);
    expect_alive_and_counted(1);
}

TEST_P(Throwing, OnTrafficLosesItsConnectionAndNoOther) {
    script.traffic = [&](Connection& peer) {
        if (as_text(peer.peek()) == "throw") fail();
        return echo(peer);
    };
    start();
    RawPeer other = connect();
    RawPeer peer = connect();
    peer.send("throw");
    peer.read_to_end();
    EXPECT_EQ(closed(), CloseReason::handler_threw);
    other.send("still there");
    EXPECT_EQ(other.read(11), "still there");
    expect_alive_and_counted(1);
}

TEST_P(Throwing, WhatWasWrittenBeforeTheThrowDoesNotLeave) {
    script.traffic = [&](Connection& peer) {
        peer.write("half an answer");
        return fail(), Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(peer.ended(), Ended::by_reset);
}

TEST_P(Throwing, OnEndLosesItsConnection) {
    script.traffic = echo;
    script.end = [&](Connection&) { return throwing ? (fail(), Action::none) : Action::close; };
    start();
    RawPeer peer = connect();
    peer.end();
    EXPECT_EQ(closed(), CloseReason::handler_threw);
    expect_alive_and_counted(1);
}

TEST_P(Throwing, OnWritableLosesItsConnection) {
    constexpr std::size_t kPlenty = 8U << 20U;
    script.traffic = [&](Connection& peer) {
        if (!throwing) return echo(peer);
        peer.write(Buffer::adopt(pattern(kPlenty)));
        return Action::none;
    };
    script.writable = [&](Connection&) { fail(); };
    start();
    RawPeer peer = connect();
    peer.send("x");
    peer.read_to_end();
    EXPECT_EQ(closed(), CloseReason::handler_threw);
    expect_alive_and_counted(1);
}

TEST_P(Throwing, OnCloseIsCountedAndTheConnectionIsGone) {
    script.traffic = echo;
    script.close = [&](Connection&, CloseReason) {
        if (throwing) fail();
    };
    start();
    connect().close();
    ASSERT_TRUE(eventually(
        [&] { return script.count("on_close") == 1 && engine().connection_count() == 0; }));
    expect_alive_and_counted(1);
}

TEST_P(Throwing, OnDrainLosesItsConnectionAndTheStopGoesOn) {
    script.drain = [](Connection&, Deadline) -> Action { fail(); };
    start();
    const RawPeer peer = connect();
    opened();
    const StopReport report = stop();
    EXPECT_EQ(report.handler_exceptions, 1U);
    EXPECT_EQ(script.reasons(), std::vector{CloseReason::handler_threw});
    EXPECT_EQ(report.connections.forced, 0U);
}

TEST_P(Throwing, TasksLoseTheirConnectionOrNothing) {
    script.traffic = echo;
    start();
    const RawPeer peer = connect();
    ASSERT_TRUE(engine().post(opened(), [](Connection&) { fail(); }));
    EXPECT_EQ(closed(), CloseReason::handler_threw);
    ASSERT_TRUE(engine().loop(0).post([](EventLoop&) { fail(); }));
    ASSERT_TRUE(engine().wake(opened(), [](ConnectionId, Delivery) { fail(); }));
    settle();
    expect_alive_and_counted(3);
}

TEST_P(Throwing, OnTickEndsTheTicksOnly) {
    std::atomic<int> ticks = 0;
    script.traffic = echo;
    script.tick = [&](EventLoop&) -> Duration {
        if (++ticks == 3) fail();
        return milliseconds{1};
    };
    start();
    ASSERT_TRUE(eventually([&] { return ticks == 3; }));
    expect_alive_and_counted(1);
    EXPECT_EQ(ticks, 3);
}

TEST_P(Throwing, LoopCallbacksAndOnShutdownAreSurvived) {
    script.traffic = echo;
    script.loop_start = [](EventLoop&) { fail(); };
    script.loop_stop = [](EventLoop&) { fail(); };
    script.shutdown = [](const StopReport&) { fail(); };
    start();
    expect_alive_and_counted(2);
    EXPECT_EQ(engine().state(), EngineState::stopped);
}

TEST_P(Throwing, OnConnectFailedIsSurvived) {
    script.traffic = echo;
    script.connect_failed = [](EventLoop&, ConnectionId, const Error&) { fail(); };
    start();
    RawListener gone(loopback_endpoint());
    const Endpoint nobody = gone.endpoint();
    gone.close();
    on_loop([&](EventLoop& loop) { ASSERT_TRUE(loop.connect(nobody)); });
    ASSERT_TRUE(eventually([&] { return script.count("on_connect_failed") == 1; }));
    expect_alive_and_counted(1);
}

TEST_P(Throwing, OnBootIsAStartFailureThatLeavesNothingOpen) {
    script.boot = [](Engine&) { fail(); };
    const auto failing = make_engine(script);
    const auto started = failing->start(address());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::handler_failed);
    EXPECT_NE(started.error().to_string().find("on purpose"), std::string::npos);
    EXPECT_EQ(failing->state(), EngineState::failed);
    EXPECT_THROW(RawPeer::connect(failing->endpoints().at(0)), std::system_error);
    script.boot = nullptr;
    EXPECT_TRUE(failing->start(address()));
}

TEST_P(Throwing, ThingsThatAreNoExceptionsAreSurvivedToo) {
    script.traffic = [](Connection&) -> Action { throw 42; };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(closed(), CloseReason::handler_threw);
}

BERTH_FOR_EACH_DRIVER(Throwing);

}  // namespace
}  // namespace berth::test
