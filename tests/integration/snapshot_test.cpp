// SPDX-License-Identifier: MIT
//
// Engine::snapshot: the truth, at any time and from any thread.

#include "integration/support_engine.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <numeric>
#include <thread>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ASnapshot : public AnEngine {
protected:
    ~ASnapshot() override { leave.open(); }

    // From now on "block" holds its loop until the gate `leave` opens.
    void let_requests_block() {
        script.traffic = [this](Connection& peer) {
            if (as_text(peer.peek()) == "block") {
                entered.open();
                EXPECT_TRUE(leave.pass());
            }
            return echo(peer);
        };
    }
    static std::uint64_t closed_by(const EngineSnapshot& snapshot, CloseReason reason) {
        return snapshot.counters.closed[static_cast<std::size_t>(reason)];
    }
    static std::uint64_t stops_by(const EngineSnapshot& snapshot, StopOutcome outcome) {
        return snapshot.stops[static_cast<std::size_t>(outcome)];
    }

    Gate entered;
    Gate leave;
};

TEST_P(ASnapshot, BeforeTheFirstStartIsEmpty) {
    const auto engine = make_engine(script);
    const EngineSnapshot snapshot = engine->snapshot();
    EXPECT_EQ(snapshot.state, EngineState::idle);
    EXPECT_EQ(snapshot.uptime, Duration::zero());
    EXPECT_TRUE(snapshot.listeners.empty());
    EXPECT_TRUE(snapshot.loops.empty());
    EXPECT_FALSE(snapshot.stop.is_requested);
}

TEST_P(ASnapshot, CountsConnectionsByWhatTheyDo) {
    start();
    RawPeer one = connect();
    {
        const RawPeer two = connect();
        opened(1);
    }
    closed(0);
    settle();
    const EngineSnapshot snapshot = engine().snapshot();
    EXPECT_EQ(snapshot.state, EngineState::ready);
    EXPECT_GT(snapshot.uptime, Duration::zero());
    EXPECT_EQ(snapshot.counters.accepted, 2U);
    EXPECT_EQ(snapshot.connections.open, 1U);
    EXPECT_EQ(closed_by(snapshot, closed(0)), 1U);
    ASSERT_EQ(snapshot.loops.size(), 1U);
    EXPECT_EQ(snapshot.loops[0].connections, 1U);
}

TEST_P(ASnapshot, SeesTokensOfRequestsThatAreWorkedOn) {
    InFlight token;
    script.traffic = [&](Connection& peer) {
        token = peer.begin();
        return echo(peer);
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read(1), "x");
    settle();
    EXPECT_EQ(engine().snapshot().in_flight, 1U);
    token.release();
    EXPECT_TRUE(eventually([&] { return engine().snapshot().in_flight == 0; }));
}

TEST_P(ASnapshot, SeesWhatSlowPeersAreOwed) {
    script.open = [](Connection& peer) {
        peer.write(pattern(8U << 20U));
        return Action::none;
    };
    start();
    const RawPeer peer = connect_slow();
    opened();
    settle();
    EXPECT_GT(engine().snapshot().outbound_bytes, 1U << 20U);
}

TEST_P(ASnapshot, NamesTheLoopThatIsBusyAndWhoWaitsForIt) {
    let_requests_block();
    start();
    RawPeer blocker = connect();
    blocker.send("block");
    ASSERT_TRUE(entered.pass());
    const RawPeer waiting = connect();
    EXPECT_TRUE(eventually([&] { return engine().snapshot().loops[0].busy > milliseconds{20}; }));
    const EngineSnapshot snapshot = engine().snapshot();
    EXPECT_EQ(snapshot.loops[0].callback, "on_traffic");
    ASSERT_EQ(snapshot.listeners.size(), 1U);
    EXPECT_TRUE(snapshot.listeners[0].is_open);
    EXPECT_EQ(snapshot.listeners[0].accept_queue, 1U);
    leave.open();
    EXPECT_TRUE(eventually([&] {
        const EngineSnapshot now = engine().snapshot();
        return now.loops[0].busy == Duration::zero() && now.listeners[0].accept_queue == 0;
    }));
}

TEST_P(ASnapshot, FollowsAStop) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start();
    RawPeer peer = connect();
    opened();
    engine().request_stop(within(patience()));
    EXPECT_TRUE(eventually([&] { return engine().snapshot().connections.draining == 1; }));
    const EngineSnapshot during = engine().snapshot();
    EXPECT_EQ(during.state, EngineState::draining);
    EXPECT_TRUE(during.stop.is_requested);
    EXPECT_EQ(during.stop.requested_by, "api");
    EXPECT_GT(during.stop.left, Duration::zero());
    EXPECT_GT(during.stop.elapsed, Duration::zero());
    EXPECT_FALSE(during.listeners.at(0).is_open);
    peer.close();
    stop();
}

TEST_P(ASnapshot, AfterAStopSaysHowItWent) {
    start();
    const RawPeer peer = connect();
    opened();
    engine().request_stop(within(Duration::zero()));
    const StopReport report = stop();
    const EngineSnapshot snapshot = engine().snapshot();
    EXPECT_EQ(snapshot.state, EngineState::stopped);
    EXPECT_EQ(snapshot.stop.elapsed, report.duration);
    EXPECT_EQ(snapshot.stop.left, Duration::zero());
    EXPECT_EQ(stops_by(snapshot, report.outcome), 1U);
    EXPECT_EQ(snapshot.connections.open + snapshot.connections.draining, 0U);
    EXPECT_EQ(snapshot.loops.at(0).busy, Duration::zero());
    for (const StopReport::Phase& phase : report.phases) {
        const auto& names = EngineSnapshot::kStopPhases;
        const auto name = std::ranges::find(names, phase.name);
        ASSERT_NE(name, names.end()) << phase.name;
        const auto index = static_cast<std::size_t>(name - names.begin());
        EXPECT_EQ(snapshot.stop_phase_seconds[index].buckets.back(), 1U) << phase.name;
    }
    EXPECT_EQ(snapshot.rebind_seconds.buckets.back(), 1U);
}

TEST_P(ASnapshot, CountersGoOnFromRunToRun) {
    const auto engine = make_engine(script);
    for (std::uint64_t run = 1; run <= 3; ++run) {
        ASSERT_TRUE(engine->start("tcp://127.0.0.1:0"));
        EXPECT_FALSE(engine->snapshot().stop.is_requested);
        ASSERT_TRUE(engine->stop());
        EXPECT_EQ(stops_by(engine->snapshot(), StopOutcome::clean), run);
    }
}

TEST_P(ASnapshot, CountsStartsThatMetATakenAddress) {
    start();
    Script another;
    const auto second = make_engine(another);
    EXPECT_FALSE(second->start(engine().endpoints()[0].to_string()));
    const auto failures = second->snapshot().bind_failures;
    EXPECT_EQ(std::accumulate(failures.begin(), failures.end(), std::uint64_t{0}), 1U);
    EXPECT_EQ(second->snapshot().state, EngineState::failed);
}

TEST_P(ASnapshot, MayBeTakenByAnotherThreadWhileEnginesStartAndStop) {
    const auto engine = make_engine(script);
    std::atomic<bool> is_over = false;
    std::atomic<int> taken = 0;
    std::thread watcher([&] {
        while (!is_over) {
            for (const auto& listener : engine->snapshot().listeners) {
                EXPECT_NE(listener.endpoint.port(), 0) << "half of an address";
            }
            ++taken;
        }
    });
    for (int run = 0; run < 20; ++run) {
        EXPECT_TRUE(engine->start("tcp://127.0.0.1:0"));
        EXPECT_TRUE(engine->stop());
    }
    is_over = true;
    watcher.join();
    EXPECT_GT(taken, 0);
}

BERTH_FOR_EACH_DRIVER(ASnapshot);

}  // namespace
}  // namespace berth::test
