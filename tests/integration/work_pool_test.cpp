// SPDX-License-Identifier: MIT
//
// WorkPool: work off the loops comes back in order, or not at all; bounds, stops, and engines that
// are gone before the work is.

#include <berth/work_pool.hpp>

#include "integration/support_engine.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace berth::test {
namespace {

class Working : public AnEngine {
protected:
    void SetUp() override {
        AnEngine::SetUp();
        make_pool({.threads = 4});
    }
    // Before the engine: no test leaves work behind that waits for one of its gates.
    void TearDown() override {
        AnEngine::TearDown();
        pool_.reset();
    }

    void make_pool(const WorkPoolOptions& bounds) {
        auto made = WorkPool::make(bounds);
        ASSERT_TRUE(made) << made.error().to_string();
        pool_ = std::make_unique<WorkPool>(std::move(*made));
    }
    WorkPool& pool() { return *pool_; }

    // Each byte that arrives is work; a byte that finds no room stays unread.
    template <class Work>
    auto work_on_each_byte(Work work) {
        return [this, work](Connection& peer) {
            while (peer.unread() > 0) {
                const char asked = as_text(peer.peek())[0];
                const bool taken = pool().run(
                    peer, [work, asked] { return work(asked); },
                    [](Connection& back, const Result<std::string>& answer) {
                        back.write(answer ? *answer : answer.error().to_string());
                    });
                if (!taken) {
                    ++refused;
                    return Action::none;
                }
                peer.discard(1);
            }
            return Action::none;
        };
    }

    std::atomic<std::size_t> refused = 0;

private:
    std::unique_ptr<WorkPool> pool_;
};

// Work that stays inside until it is let out.
struct Room {
    Gate entered;
    Gate leave;
    void stay() {
        entered.open();
        leave.pass();
    }
};

TEST_P(Working, RunsOffTheLoopAndComesBackToIt) {
    std::thread::id on_pool;
    std::thread::id on_loop;
    std::thread::id after;
    script.traffic = [&](Connection& peer) {
        on_loop = std::this_thread::get_id();
        const std::string asked(as_text(peer.next()));
        EXPECT_TRUE(pool().run(
            peer,
            [&, asked] {
                on_pool = std::this_thread::get_id();
                return asked + ", indeed";
            },
            [&](Connection& back, const Result<std::string>& answer) {
                after = std::this_thread::get_id();
                back.write(*answer);
            }));
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("work");
    EXPECT_EQ(peer.read(12), "work, indeed");
    stop();
    EXPECT_NE(on_pool, on_loop);
    EXPECT_EQ(after, on_loop);
}

// The first cannot end before the last, which therefore must run beside it; and still the first
// answer is the first's.
TEST_P(Working, FollowsInTheOrderOfAskingWhicheverEndsFirst) {
    Gate last_has_run;
    script.traffic = work_on_each_byte([&](char asked) {
        if (asked == 'a') last_has_run.pass();
        if (asked == 'd') last_has_run.open();
        return std::string(1, asked);
    });
    start();
    RawPeer peer = connect();
    peer.send("abcd");
    EXPECT_EQ(peer.read(4), "abcd");
}

TEST_P(Working, ExceptionArrivesAsAnErrorWithItsText) {
    script.traffic = work_on_each_byte([](char asked) -> std::string {
        if (asked == '1') throw std::runtime_error("no such row");
        throw 1;
    });
    start();
    RawPeer peer = connect();
    peer.send("1");
    EXPECT_TRUE(eventually([&, seen = std::string()]() mutable {
        return (seen += peer.read_now()).find("no such row") != std::string::npos;
    }));
    peer.send("2");
    EXPECT_TRUE(eventually([&, seen = std::string()]() mutable {
        return (seen += peer.read_now()).find("no exception") != std::string::npos;
    }));
}

TEST_P(Working, ResultsOfWorkAndNoneArriveAsTheyAre) {
    script.traffic = [this](Connection& peer) {
        peer.discard();
        const auto refuse = []() -> Result<int> {
            return fail(Error(ErrorCode::unsupported, "compute"));
        };
        EXPECT_TRUE(pool().run(peer, refuse, [](Connection& back, const Result<int>& answer) {
            back.write(answer ? "?" : to_string(answer.error().code()));
        }));
        EXPECT_TRUE(pool().run(
            peer, [] {},
            [](Connection& back, const Result<void>& answer) { back.write(answer ? "!" : "?"); }));
        EXPECT_TRUE(pool().run(
            peer, [] { return std::make_unique<int>(7); },
            [](Connection& back, Result<std::unique_ptr<int>> answer) {
                back.write(std::to_string(**answer));
            }));
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read(13), "unsupported!7");
}

TEST_P(Working, FollowThatThrowsLosesItsConnection) {
    script.traffic = [this](Connection& peer) {
        peer.discard();
        EXPECT_TRUE(pool().run(
            peer, [] {},
            [](Connection&, const Result<void>&) { throw std::runtime_error("then"); }));
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(closed(), CloseReason::handler_threw);
}

TEST_P(Working, FollowMayAskAgainAndClose) {
    script.traffic = [this](Connection& peer) {
        peer.discard();
        EXPECT_TRUE(pool().run(
            peer, [] {},
            [this](Connection& back, const Result<void>&) {
                back.write("once ");
                EXPECT_TRUE(pool().run(
                    back, [] {},
                    [](Connection& again, const Result<void>&) {
                        again.write("and again");
                        again.close();
                    }));
            }));
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read_to_end(), "once and again");
}

// ── Connections that go ──────────────────────────────────────────────────────────────────────

TEST_P(Working, NothingFollowsForAConnectionThatIsGoneAndTheResultIsDestroyed) {
    Room room;
    const auto value = std::make_shared<int>();
    script.traffic = [&](Connection& peer) {
        peer.discard();
        EXPECT_TRUE(pool().run(
            peer,
            [&room, value] {
                room.stay();
                return value;
            },
            [](Connection&, const Result<std::shared_ptr<int>>&) { ADD_FAILURE() << "gone"; }));
        return Action::none;
    };
    start();
    {
        RawPeer peer = connect();
        peer.send("x");
        ASSERT_TRUE(room.entered.pass());
        ASSERT_TRUE(engine().close(opened(), CloseMode::reset));
    }
    closed();
    room.leave.open();
    EXPECT_TRUE(eventually([&] { return value.use_count() == 1; }));
    EXPECT_TRUE(eventually([&] { return pool().running() == 0; }));
}

TEST_P(Working, WorkOfAConnectionThatIsGoneIsNotBegun) {
    make_pool({.threads = 1});
    Room room;
    std::atomic<int> begun = 0;
    const auto value = std::make_shared<int>();
    script.traffic = [&](Connection& peer) {
        const bool stays = as_text(peer.next()) == "stay";
        EXPECT_TRUE(pool().run(
            peer,
            [&, stays, value] {
                ++begun;
                if (stays) room.stay();
            },
            [](Connection& back, const Result<void>&) { back.write("done"); }));
        return Action::none;
    };
    start();
    RawPeer first = connect();
    first.send("stay");
    ASSERT_TRUE(room.entered.pass());
    RawPeer second = connect();
    opened(1);
    second.send("go");
    ASSERT_TRUE(eventually([&] { return pool().waiting() == 1; }));
    ASSERT_TRUE(engine().close(opened(1), CloseMode::reset));
    closed();
    room.leave.open();
    EXPECT_EQ(first.read(4), "done");
    EXPECT_TRUE(eventually([&] { return value.use_count() == 1; }));
    EXPECT_EQ(begun, 1);
}

// ── Stops ────────────────────────────────────────────────────────────────────────────────────

TEST_P(Working, StopWaitsForWhatIsOut) {
    Room room;
    script.traffic = work_on_each_byte([&](char) {
        room.stay();
        return std::string("late answer");
    });
    start();
    RawPeer peer = connect();
    peer.send("x");
    ASSERT_TRUE(room.entered.pass());
    engine().request_stop();
    EXPECT_TRUE(eventually([&] { return script.count("on_drain") == 1; }));
    settle();
    room.leave.open();
    EXPECT_EQ(peer.read_to_end(), "late answer");
    peer.close();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Working, EngineMayBeGoneBeforeItsWork) {
    Room room;
    const auto value = std::make_shared<int>();
    script.traffic = [&](Connection& peer) {
        peer.discard();
        EXPECT_TRUE(pool().run(
            peer,
            [&room, value] {
                room.stay();
                return value;
            },
            [](Connection&, const Result<std::shared_ptr<int>>&) { ADD_FAILURE() << "gone"; }));
        return Action::none;
    };
    auto gone = make_engine(script);
    ASSERT_TRUE(gone->start(address()));
    RawPeer peer = connect_to(gone->endpoints().at(0));
    peer.send("x");
    ASSERT_TRUE(room.entered.pass());
    gone->request_stop(gone->now());
    const auto report = gone->stop();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->connections.forced, 1U);
    gone.reset();
    room.leave.open();
    EXPECT_TRUE(eventually([&] { return value.use_count() == 1; }));
}

TEST_P(Working, PoolThatEndsTellsWhatItHasNotBegun) {
    Room room;
    make_pool({.threads = 1});
    script.traffic = work_on_each_byte([&](char) {
        room.stay();
        return std::string("begun.");
    });
    start();
    RawPeer peer = connect();
    peer.send("12");
    ASSERT_TRUE(room.entered.pass());
    ASSERT_TRUE(eventually([&] { return pool().waiting() == 1; }));
    std::jthread ending([&] { make_pool({.threads = 1}); });  // assigning ends the one before
    room.leave.open();
    room.leave.open();  // should it be begun after all
    EXPECT_EQ(peer.read(6), "begun.");
    EXPECT_NE(peer.read(1), "");
}

// ── Bounds ───────────────────────────────────────────────────────────────────────────────────

TEST_P(Working, FullPoolRefusesAndServesEverybodyAfterwards) {
    constexpr std::size_t kPeers = 20;
    make_pool({.threads = 1, .waiting_max = 1});
    options.loops = 2;
    options.balance = Balance::round_robin;
    script.traffic = work_on_each_byte([](char asked) { return std::string(1, asked); });
    start();
    std::vector<RawPeer> peers;
    for (std::size_t i = 0; i < kPeers; ++i) peers.push_back(connect());
    opened(kPeers - 1);
    for (RawPeer& peer : peers) peer.send("abcdefghij");
    for (RawPeer& peer : peers) EXPECT_EQ(peer.read(10), "abcdefghij");
    EXPECT_GT(refused, 0U);
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Working, WhoWaitsForRoomIsServedInAStopToo) {
    Room room;
    make_pool({.threads = 1, .waiting_max = 1});
    script.traffic = work_on_each_byte([&](char asked) {
        if (asked == 's') room.stay();
        return std::string(1, asked);
    });
    start();
    RawPeer first = connect();
    first.send("s");
    ASSERT_TRUE(room.entered.pass());
    RawPeer second = connect();
    second.send("abc");
    ASSERT_TRUE(eventually([&] { return refused > 0; }));
    engine().request_stop();
    EXPECT_TRUE(eventually([&] { return script.count("on_drain") == 2; }));
    settle();
    room.leave.open();
    EXPECT_EQ(second.read_to_end(), "abc");
    EXPECT_EQ(first.read_to_end(), "s");
    first.close();
    second.close();
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

// A place that nobody takes is passed on.
TEST_P(Working, WhoLeavesWhileItWaitsKeepsNobodyElseWaiting) {
    Room room;
    make_pool({.threads = 1, .waiting_max = 1});
    script.traffic = work_on_each_byte([&](char asked) {
        if (asked == 's') room.stay();
        return std::string(1, asked);
    });
    start();
    RawPeer first = connect();
    first.send("sx");
    ASSERT_TRUE(room.entered.pass());
    ASSERT_TRUE(eventually([&] { return pool().waiting() == 1; }));
    const std::size_t before = refused;
    std::vector<RawPeer> peers;
    for (std::size_t i = 0; i < 10; ++i) {
        peers.push_back(connect());
        opened(i + 1);
        peers.back().send("a");
        ASSERT_TRUE(eventually([&] { return refused == before + i + 1; }));
    }
    for (std::size_t i = 0; i < 9; ++i) {
        ASSERT_TRUE(engine().close(opened(i + 1), CloseMode::reset));
        closed(i);
    }
    room.leave.open();
    EXPECT_EQ(first.read(2), "sx");
    EXPECT_EQ(peers.back().read(1), "a");
}

TEST_P(Working, ManyClientsOnManyLoopsShareAPoolThatIsOftenFull) {
    make_pool({.threads = 3, .waiting_max = 4});
    options.loops = 3;
    options.balance = Balance::round_robin;
    script.traffic = work_on_each_byte([](char asked) { return std::string(1, asked); });
    start();
    const std::string asked = pattern(500);
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&, leaves = i % 4 == 3] {
            RawPeer peer = connect();
            std::jthread sender([&] { peer.send(asked); });
            if (leaves) {
                EXPECT_EQ(peer.read(10), asked.substr(0, 10));
                sender.join();
                return;
            }
            EXPECT_TRUE(peer.read(asked.size()) == asked);
        });
    }
    clients.clear();
    EXPECT_TRUE(eventually([&] { return engine().connection_count() == 0; }));
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
    EXPECT_TRUE(eventually([&] { return pool().waiting() + pool().running() == 0; }));
}

TEST(WorkPoolOptions, OutOfRangeAreRefusedByName) {
    for (const WorkPoolOptions options :
         {WorkPoolOptions{.threads = 0}, WorkPoolOptions{.threads = 100'000},
          WorkPoolOptions{.waiting_max = 0}}) {
        const auto made = WorkPool::make(options);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code(), ErrorCode::invalid_option);
        EXPECT_NE(made.error().detail(), "");
    }
}

BERTH_FOR_EACH_DRIVER(Working);

}  // namespace
}  // namespace berth::test
