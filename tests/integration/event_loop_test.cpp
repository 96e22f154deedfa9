// SPDX-License-Identifier: MIT
//
// EventLoop: tasks, looking connections up, broadcasting, ticking; and how loops share the work.

#include "integration/support_engine.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <thread>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class OnALoop : public AnEngine {};
class Balancing : public AnEngine {};

TEST_P(OnALoop, TasksRunInTheOrderOfPosting) {
    constexpr int kTasks = 1'000;
    std::vector<int> ran;
    start();
    for (int task = 0; task < kTasks; ++task) {
        ASSERT_TRUE(engine().loop(0).post([&ran, task](EventLoop&) { ran.push_back(task); }));
    }
    settle();
    EXPECT_EQ(ran.size(), static_cast<std::size_t>(kTasks));
    EXPECT_TRUE(std::ranges::is_sorted(ran));
}

TEST_P(OnALoop, TasksOfManyThreadsAllRun) {
    std::size_t ran = 0;
    start();
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (int task = 0; task < 5'000; ++task) {
                    engine().loop(0).post([&ran](EventLoop&) { ++ran; });
                }
            });
        }
    }
    settle();
    EXPECT_EQ(ran, 20'000U);
}

TEST_P(OnALoop, TaskMayPostTasks) {
    Gate done;
    start();
    std::function<void(EventLoop&, int)> again = [&](EventLoop& loop, int left) {
        if (left == 0) return done.open();
        loop.post([&again, left](EventLoop& here) { again(here, left - 1); });
    };
    on_loop([&](EventLoop& loop) { again(loop, 100); });
    EXPECT_TRUE(done.pass());
}

TEST_P(OnALoop, TasksPostedInOnLoopStopAreDroppedAndCounted) {
    const auto alive = std::make_shared<int>();
    bool taken = false;
    script.loop_stop = [&](EventLoop& loop) {
        taken = loop.post([alive](EventLoop&) { ADD_FAILURE() << "ran"; });
    };
    start();
    const StopReport report = stop();
    EXPECT_TRUE(taken);
    EXPECT_EQ(report.tasks.cancelled, 1U);
    EXPECT_EQ(alive.use_count(), 1) << "what the task owned is destroyed";
}

TEST_P(OnALoop, FindsItsOpenConnectionsOnly) {
    start();
    const RawPeer peer = connect();
    const ConnectionId id = opened();
    on_loop([&](EventLoop& loop) {
        ASSERT_NE(loop.find(id), nullptr);
        EXPECT_EQ(loop.find(id)->id(), id);
        EXPECT_EQ(&loop.find(id)->loop(), &loop);
        EXPECT_EQ(loop.find(ConnectionId()), nullptr);
        EXPECT_EQ(loop.find(ConnectionId(id.loop() + 1, id.slot(), id.generation())), nullptr);
        EXPECT_EQ(loop.find(ConnectionId(id.loop(), 999'999, 1)), nullptr);
        EXPECT_EQ(loop.connection_count(), 1U);
        loop.find(id)->close(CloseMode::now);
        EXPECT_EQ(loop.find(id), nullptr);
    });
    closed();
    on_loop([&](EventLoop& loop) { EXPECT_EQ(loop.connection_count(), 0U); });
}

TEST_P(OnALoop, VisitsEveryOpenConnectionOnce) {
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 100; ++i) peers.push_back(connect());
    opened(99);
    std::set<ConnectionId> visited;
    on_loop([&](EventLoop& loop) {
        loop.for_each([&](Connection& each) {
            EXPECT_TRUE(visited.insert(each.id()).second);
            each.close(CloseMode::now);
        });
        loop.for_each([](Connection&) { ADD_FAILURE() << "all are closing"; });
    });
    EXPECT_EQ(visited.size(), 100U);
}

TEST_P(OnALoop, BroadcastReachesWhoeverIsOpen) {
    start();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 10; ++i) peers.push_back(connect());
    opened(9);
    std::size_t took = 0;
    on_loop([&](EventLoop& loop) {
        loop.find(opened(3))->close();
        took = loop.broadcast(Buffer::copy_of("news"));
    });
    EXPECT_EQ(took, 9U);
    for (std::size_t i = 0; i < peers.size(); ++i) {
        EXPECT_EQ(peers[i].read(4), i == 3 ? "" : "news");
    }
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

TEST_P(OnALoop, TicksAfterEachReturnedDuration) {
    std::vector<Instant> ticks;
    Gate enough;
    script.tick = [&](EventLoop& loop) -> Duration {
        ticks.push_back(loop.now());
        if (ticks.size() < 4) return milliseconds{5};
        enough.open();
        return kNever;
    };
    start();
    ASSERT_TRUE(enough.pass());
    stop();
    ASSERT_EQ(ticks.size(), 4U);
    for (std::size_t i = 1; i < 4; ++i) EXPECT_GE(ticks[i] - ticks[i - 1], milliseconds{5});
}

TEST_P(OnALoop, TickThatIsDueAtOnceStarvesNobody) {
    script.tick = [](EventLoop&) { return Duration::zero(); };
    script.traffic = echo;
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read(1), "x");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(OnALoop, IdleConnectionIsClosedAfterItsTimeout) {
    options.idle_timeout = milliseconds{30};
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    peer.close();
    EXPECT_EQ(closed(), CloseReason::idle_timeout);
}

// The tick comes first in any iteration in which both are due, however late that is.
TEST_P(OnALoop, ConnectionThatIsOnlySentToIsNotIdle) {
    options.idle_timeout = milliseconds{100};
    int ticks = 0;
    script.tick = [&](EventLoop& loop) {
        loop.for_each([](Connection& each) { each.write(pattern(20'000)); });
        return ++ticks < 60 ? Duration(milliseconds{5}) : kNever;
    };
    start();
    RawPeer peer = connect();
    EXPECT_GE(peer.read_to_end().size(), 50U * 20'000U);
    stop();
}

TEST_P(OnALoop, ConnectionThatSendsIsNotIdle) {
    options.idle_timeout = milliseconds{200};
    std::size_t received = 0;
    script.traffic = [&](Connection& peer) { return received += peer.discard(), Action::none; };
    start();
    RawPeer peer = connect();
    opened();
    const auto until = std::chrono::steady_clock::now() + milliseconds{400};
    while (std::chrono::steady_clock::now() < until) {
        peer.send(".");
        let_others_run();
    }
    EXPECT_EQ(script.count("on_close"), 0U);
    stop();
    EXPECT_GT(received, 0U);
}

// ── Balance ──────────────────────────────────────────────────────────────────────────────────

TEST_P(Balancing, RoundRobinGivesEveryLoopItsTurn) {
    options.loops = 3;
    options.balance = Balance::round_robin;
    script.open = [](Connection& peer) {
        EXPECT_EQ(peer.loop().index(), peer.id().loop());
        return Action::none;
    };
    start();
    std::vector<RawPeer> peers;
    std::array<int, 3> count{};
    for (int i = 0; i < 30; ++i) peers.push_back(connect());
    opened(29);
    for (const ConnectionId id : script.opened()) ++count.at(id.loop());
    EXPECT_EQ(count, (std::array{10, 10, 10}));
}

TEST_P(Balancing, EveryConnectionKnowsItsListener) {
    options.loops = 2;
    options.balance = Balance::round_robin;
    std::array<std::atomic<int>, 3> count{};
    script.open = [&](Connection& peer) { return ++count.at(peer.listener_index()), Action::none; };
    start(std::vector<std::string>{"tcp://127.0.0.1:0", "tcp://127.0.0.1:0", unix_address("s")});
    std::vector<RawPeer> peers;
    for (std::size_t i = 0; i < 6; ++i) peers.push_back(connect(i % 3));
    opened(5);
    for (const auto& each : count) EXPECT_EQ(each, 2);
    stop();
}

TEST_P(Balancing, ShardedServesOnEveryLoop) {
    options.loops = 2;
    options.balance = Balance::sharded;
    script.traffic = echo;
    start();
    std::vector<RawPeer> peers;
    std::set<std::uint32_t> loops;
    for (std::size_t i = 0; i < 200 && loops.size() < 2; ++i) {
        peers.push_back(connect());
        loops.insert(opened(i).loop());
        peers.back().send("x");
        ASSERT_EQ(peers.back().read(1), "x");
    }
    EXPECT_EQ(loops.size(), 2U);
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Balancing, ManyLoopsHandOverWhileStopping) {
    options.loops = 4;
    options.balance = Balance::round_robin;
    script.traffic = echo;
    for (int run = 0; run < 10; ++run) {
        start();
        std::vector<RawPeer> peers;
        for (int i = 0; i < 20; ++i) peers.push_back(connect());
        stop();
        EXPECT_EQ(script.count("on_open"), script.count("on_close"));
        for (RawPeer& peer : peers) EXPECT_EQ(peer.read_to_end(), "");
    }
}

BERTH_FOR_EACH_DRIVER(OnALoop);
BERTH_FOR_EACH_DRIVER(Balancing);

}  // namespace
}  // namespace berth::test
