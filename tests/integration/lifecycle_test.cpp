// SPDX-License-Identifier: MIT
//
// Lifecycle: the one order of callbacks, and stopping from everywhere.

#include "integration/support_engine.hpp"
#include "support/descriptors.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace berth::test {
namespace {

using std::chrono::seconds;

class Lifecycle : public AnEngine {};
class LifecycleDeathTest : public AnEngine {};  // what would hang if it were broken

TEST_P(Lifecycle, CallsComeInTheOneOrder) {
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    peer.send("x");
    peer.read(1);
    stop();
    EXPECT_EQ(script.calls(),
              (std::vector<std::string>{"on_boot", "on_loop_start", "on_open", "on_traffic",
                                        "on_drain", "on_close", "on_loop_stop", "on_shutdown"}));
}

TEST_P(Lifecycle, EveryOpenHasItsClose) {
    options.loops = 2;
    script.traffic = echo;
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 100; ++i) peers.push_back(connect());
    for (std::size_t i = 0; i < 50; ++i) peers[i].reset();
    opened(99);
    stop();
    auto opened = script.opened();
    auto closed = script.closed();
    std::ranges::sort(opened);
    std::ranges::sort(closed);
    EXPECT_EQ(opened, closed);
    EXPECT_EQ(script.calls().back(), "on_shutdown");
    EXPECT_EQ(script.count("on_shutdown"), 1U);
    EXPECT_EQ(script.count("on_loop_stop"), 2U);
}

TEST_P(Lifecycle, StatesAreSeenInTheirOrder) {
    EngineState at_boot{};
    EngineState at_shutdown{};
    script.boot = [&](Engine& engine) { at_boot = engine.state(); };
    script.shutdown = [&](const StopReport&) { at_shutdown = engine().state(); };
    Engine fresh(script, options);
    EXPECT_EQ(fresh.state(), EngineState::idle);
    start();
    EXPECT_EQ(engine().state(), EngineState::ready);
    stop();
    EXPECT_EQ(at_boot, EngineState::booting);
    EXPECT_EQ(at_shutdown, EngineState::verifying);
    EXPECT_EQ(engine().state(), EngineState::stopped);
}

TEST_P(Lifecycle, OnBootKnowsTheAddressesAndNobodyIsAcceptedYet) {
    std::vector<Endpoint> endpoints;
    std::string driver;
    script.boot = [&](Engine& engine) {
        endpoints = engine.endpoints();
        driver = engine.driver_description();
    };
    start();
    ASSERT_EQ(endpoints.size(), 1U);
    EXPECT_NE(endpoints[0].port(), 0);
    EXPECT_TRUE(driver.starts_with(GetParam().driver)) << driver;
}

TEST_P(Lifecycle, SecondStartIsRefusedWhileItRuns) {
    start();
    const auto again = engine().start(address());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::already_running);
    EXPECT_EQ(engine().state(), EngineState::ready);
}

TEST_P(Lifecycle, RestartsFiftyTimes) {
    script.traffic = echo;
    const std::size_t before = open_descriptors();
    for (int run = 0; run < 50; ++run) {
        start();
        RawPeer peer = connect();
        peer.send("ping");
        ASSERT_EQ(peer.read(4), "ping");
        ASSERT_EQ(stop().outcome, StopOutcome::clean);
    }
    EXPECT_EQ(script.count("on_shutdown"), 50U);
    EXPECT_LE(open_descriptors(), before + 1);  // what the engine itself waits on
}

TEST_P(Lifecycle, RestartTakesTheSamePortAgain) {
    script.traffic = echo;
    start();
    const std::string same = target().to_string();
    RawPeer peer = connect();
    peer.send("x");
    peer.read(1);
    stop();  // the server closes first: its side keeps TIME_WAIT
    start(same);
    EXPECT_EQ(target().to_string(), same);
}

TEST_P(Lifecycle, IdsOfAnEarlierRunStayStale) {
    start();
    const RawPeer peer = connect();
    const ConnectionId old = opened();
    stop();
    start();
    const RawPeer next = connect();
    EXPECT_NE(opened(1), old);
    EXPECT_EQ(delivered([&](Completion done) { return engine().wake(old, std::move(done)); }),
              Delivery::stale);
}

TEST_P(Lifecycle, NothingIsTakenBeforeAndAfterTheRun) {
    Engine fresh(script, options);
    const ConnectionId any(0, 0, 1);
    EXPECT_FALSE(fresh.write(any, "x"));
    ASSERT_TRUE(fresh.start(address()));
    EXPECT_FALSE(fresh.wake(ConnectionId()));
    EXPECT_FALSE(fresh.wake(ConnectionId(200, 0, 1)));  // there is no such loop
    ASSERT_TRUE(fresh.stop());
    EXPECT_FALSE(fresh.post(any, [](Connection&) {}));
    EXPECT_FALSE(fresh.loop(0).post([](EventLoop&) {}));
}

// ── Stopping from everywhere ─────────────────────────────────────────────────────────────────

TEST_P(Lifecycle, HandlerStopsTheEngineByItsAction) {
    script.traffic = [](Connection& peer) { return echo(peer), Action::shutdown; };
    start();
    RawPeer peer = connect();
    peer.send("last");
    EXPECT_EQ(peer.read_to_end(), "last");
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->requested_by, "handler");
    EXPECT_EQ(script.reasons(), std::vector{CloseReason::stop_graceful});
}

TEST_P(Lifecycle, HandlerStopsTheEngineByACall) {
    script.open = [&](Connection&) { return engine().request_stop(), Action::none; };
    start();
    const RawPeer peer = connect();
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->requested_by, "api");
}

TEST_P(Lifecycle, ManyThreadsStopItAtOnceAndGetTheSameReport) {
    start();
    const RawPeer peer = connect();
    opened();
    std::atomic<int> clean = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                const auto report = engine().stop();
                if (report && report->outcome == StopOutcome::clean) ++clean;
            });
        }
    }
    EXPECT_EQ(clean, 8);
    EXPECT_EQ(script.count("on_shutdown"), 1U);
}

TEST_P(Lifecycle, StopRequestsRaceARestartWithoutHarm) {
    start();
    std::atomic<bool> enough = false;
    std::jthread nagger([&] {
        while (!enough) engine().request_stop();
    });
    for (int run = 0; run < 20; ++run) {
        ASSERT_TRUE(engine().wait());
        ASSERT_TRUE(engine().start(address()));
    }
    enough = true;
    nagger.join();
    EXPECT_TRUE(stop().ok());
}

TEST_P(Lifecycle, StoppingTwiceReportsTheSame) {
    start();
    const StopReport first = stop();
    const StopReport second = stop();
    EXPECT_EQ(first.to_json(), second.to_json());
    EXPECT_EQ(script.count("on_shutdown"), 1U);
}

TEST_P(Lifecycle, StopInOnBootEndsItBeforeItServes) {
    script.boot = [](Engine& engine) { engine.request_stop(); };
    start();
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::cancelled_during_boot);
    EXPECT_EQ(report->exit_code(), 0);
    EXPECT_TRUE(report->ok());
    EXPECT_EQ(script.calls().back(), "on_shutdown");
}

TEST_P(Lifecycle, StopInOnShutdownMeansNothing) {
    script.shutdown = [&](const StopReport&) { engine().request_stop(); };
    start();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    EXPECT_EQ(script.count("on_shutdown"), 1U);
}

TEST_P(Lifecycle, DestructorStopsAndWaits) {
    Script local;
    {
        Engine brief(local, options);
        ASSERT_TRUE(brief.start(address()));
    }
    EXPECT_EQ(local.calls().back(), "on_shutdown");
}

TEST_P(Lifecycle, DestructorOfAnEngineThatNeverRanDoesNothing) {
    Script local;
    {
        const Engine idle(local, options);
    }
    EXPECT_TRUE(local.calls().empty());
}

// ── Waiting ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Lifecycle, WaitingForNothingIsRefused) {
    Engine idle(script, options);
    ASSERT_FALSE(idle.wait());
    EXPECT_EQ(idle.wait().error().code(), ErrorCode::not_running);
    EXPECT_EQ(idle.stop().error().code(), ErrorCode::not_running);
}

TEST_P(Lifecycle, WaitingOnALoopThreadIsRefused) {
    ErrorCode code{};
    start();
    on_loop([&](EventLoop& loop) { code = loop.engine().wait().error().code(); });
    EXPECT_EQ(code, ErrorCode::would_deadlock);
    EXPECT_EQ(engine().state(), EngineState::ready);
}

TEST_P(Lifecycle, WaitingInOnShutdownIsRefused) {
    ErrorCode code{};
    script.shutdown = [&](const StopReport&) { code = engine().wait().error().code(); };
    start();
    stop();
    EXPECT_EQ(code, ErrorCode::would_deadlock);
}

// In a process of its own, with an alarm. Exits with 0 if `wait` was refused.
[[noreturn]] void exit_with(const Result<StopReport>& waited) {
    std::_Exit(!waited && waited.error().code() == ErrorCode::would_deadlock ? 0 : 1);
}

TEST_P(LifecycleDeathTest, WaitingInOnBootIsRefused) {
    script.boot = [](Engine& engine) { exit_with(engine.wait()); };
    const auto run = [&] {
        ::alarm(5);
        static_cast<void>(Engine(script, options).start(address()));
    };
    EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

TEST_P(LifecycleDeathTest, WaitingInOnShutdownUnderRunIsRefused) {
    const auto run = [&] {
        ::alarm(5);
        Engine under(script, options);
        script.boot = [](Engine& engine) { engine.request_stop(); };
        script.shutdown = [&](const StopReport&) { exit_with(under.wait()); };
        static_cast<void>(under.run(std::vector{address()}));
    };
    EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

// A handler that does not return costs the engine two seconds, and is named.
TEST_P(LifecycleDeathTest, StuckHandlerIsGivenUpAndNamed) {
    const auto run = [&] {
        ::alarm(20);
        Gate never;
        script.open = [&](Connection&) {
            while (!never.pass()) {
            }
            return Action::none;
        };
        start();
        const RawPeer peer = connect();
        opened();
        engine().request_stop(engine().now());
        const auto report = engine().wait();
        const bool named = report && report->loops.stuck.size() == 1 &&
                           report->loops.stuck[0].callback == "on_open";
        std::_Exit(named && report->outcome == StopOutcome::stuck ? report->exit_code() : 1);
    };
    EXPECT_EXIT(run(), testing::ExitedWithCode(5), "");
}

BERTH_FOR_EACH_DRIVER(Lifecycle);
BERTH_FOR_EACH_DRIVER(LifecycleDeathTest);

}  // namespace
}  // namespace berth::test
