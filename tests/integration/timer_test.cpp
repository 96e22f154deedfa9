// SPDX-License-Identifier: MIT
//
// Timers of users: schedule_after, schedule_every, cancel, from the loop and from other threads.

#include "integration/support_engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class Timers : public AnEngine {
protected:
    std::uint64_t fired() { return engine().snapshot().counters.timers_fired; }
    std::uint64_t waiting() { return engine().snapshot().timers; }
    // The loop does nothing else from the first pass on until the second.
    void hold_loop() {
        engine().loop(0).post([this](EventLoop&) {
            held_.open();
            EXPECT_TRUE(released_.pass());
        });
        ASSERT_TRUE(held_.pass());
    }
    void release_loop() { released_.open(); }
    bool has_passed(Instant at) {
        return eventually([&] { return engine().now() >= at; });
    }

private:
    Gate held_;
    Gate released_;
};

TEST_P(Timers, RunOnceAndNeverBeforeTheirTime) {
    Gate done;
    Instant armed;
    Instant ran;
    int runs = 0;
    start();
    on_loop([&](EventLoop& loop) {
        armed = loop.now();
        EXPECT_TRUE(loop.schedule_after(milliseconds{10}, [&](EventLoop& here) {
            ran = here.now();
            ++runs;
        }));
        EXPECT_TRUE(loop.schedule_after(milliseconds{30}, [&](EventLoop&) { done.open(); }));
    });
    ASSERT_TRUE(done.pass());
    settle();
    EXPECT_EQ(runs, 1);
    EXPECT_GE(ran - armed, milliseconds{10});
    EXPECT_EQ(waiting(), 0U);
}

TEST_P(Timers, RunInTheOrderOfTheirTimes) {
    std::vector<int> order;
    Gate done;
    start();
    on_loop([&](EventLoop& loop) {
        for (const int delay : {12, 3, 9, 3, 0, -5}) {
            loop.schedule_after(milliseconds{delay},
                                [&order, delay](EventLoop&) { order.push_back(delay); });
        }
        loop.schedule_after(milliseconds{20}, [&](EventLoop&) { done.open(); });
    });
    ASSERT_TRUE(done.pass());
    settle();
    EXPECT_EQ(order, (std::vector{0, -5, 3, 3, 9, 12}));
}

TEST_P(Timers, HaveIdsThatAreNeverGivenAgain) {
    std::set<TimerId> ids;
    start();
    on_loop([&](EventLoop& loop) {
        EXPECT_FALSE(loop.cancel(TimerId()));
        for (int i = 0; i < 1'000; ++i) {
            const TimerId id = loop.schedule_after(hours{1}, [](EventLoop&) {});
            EXPECT_TRUE(id);
            EXPECT_TRUE(ids.insert(id).second);
            EXPECT_TRUE(loop.cancel(id));
            EXPECT_FALSE(loop.cancel(id));
        }
    });
    EXPECT_EQ(ids.size(), 1'000U);
    EXPECT_EQ(waiting(), 0U);
}

TEST_P(Timers, ManyWaitAndEachIsFoundByItsId) {
    constexpr std::size_t kMany = 5'000;
    std::vector<TimerId> ids;
    Gate done;
    std::size_t ran = 0;
    start();
    on_loop([&](EventLoop& loop) {
        for (std::size_t i = 0; i < kMany; ++i) {
            const Duration delay = i % 2 == 0 ? Duration(hours{1}) : Duration(milliseconds{5});
            ids.push_back(loop.schedule_after(delay, [&](EventLoop&) {
                if (++ran == kMany / 2) done.open();
            }));
        }
    });
    ASSERT_TRUE(done.pass());
    on_loop([&](EventLoop& loop) {
        for (std::size_t i = 0; i < kMany; ++i) EXPECT_EQ(loop.cancel(ids[i]), i % 2 == 0);
    });
    EXPECT_EQ(fired(), kMany / 2);
    EXPECT_EQ(waiting(), 0U);
}

TEST_P(Timers, CancelledOnesNeverRunAndFreeWhatTheyOwn) {
    const auto owned = std::make_shared<int>();
    start();
    on_loop([&](EventLoop& loop) {
        const TimerId id = loop.schedule_after(
            milliseconds{1}, [owned](EventLoop&) { ADD_FAILURE() << "it was cancelled"; });
        EXPECT_TRUE(loop.cancel(id));
        EXPECT_EQ(owned.use_count(), 1);
    });
    EXPECT_TRUE(has_passed(engine().now() + milliseconds{5}));
    settle();
    EXPECT_EQ(fired(), 0U);
}

TEST_P(Timers, OneMayCancelAnotherOfTheSameMoment) {
    Gate done;
    start();
    on_loop([&](EventLoop& loop) {
        const auto second = std::make_shared<TimerId>();
        loop.schedule_after(milliseconds{2},
                            [second](EventLoop& here) { EXPECT_TRUE(here.cancel(*second)); });
        *second = loop.schedule_after(milliseconds{2},
                                      [](EventLoop&) { ADD_FAILURE() << "it was cancelled"; });
        loop.schedule_after(milliseconds{4}, [&](EventLoop&) { done.open(); });
    });
    EXPECT_TRUE(done.pass());
}

TEST_P(Timers, WhileOneRunsItsIdIsStale) {
    Gate done;
    start();
    on_loop([&](EventLoop& loop) {
        const auto own = std::make_shared<TimerId>();
        *own = loop.schedule_after(milliseconds{1}, [own, &done](EventLoop& here) {
            EXPECT_FALSE(here.cancel(*own));
            here.schedule_after(milliseconds{1}, [&done](EventLoop&) { done.open(); });
        });
    });
    EXPECT_TRUE(done.pass());
}

// ── Periodic ─────────────────────────────────────────────────────────────────────────────────

TEST_P(Timers, PeriodicOnesKeepTheirBeat) {
    constexpr Duration kPeriod = milliseconds{5};
    std::vector<Instant> beats;
    Instant armed;
    Gate done;
    start();
    on_loop([&](EventLoop& loop) {
        armed = loop.now();
        loop.schedule_every(kPeriod, [&](EventLoop& here) {
            beats.push_back(here.now());
            if (beats.size() == 8) done.open();
        });
    });
    ASSERT_TRUE(done.pass());
    stop();
    // A beat belongs to a multiple of the period, and each multiple has one at most.
    for (std::size_t i = 0; i < beats.size(); ++i) {
        const auto multiple = (beats[i] - armed) / kPeriod;
        EXPECT_GE(multiple, static_cast<std::int64_t>(i) + 1);
        if (i > 0) {
            EXPECT_GT(multiple, (beats[i - 1] - armed) / kPeriod);
        }
    }
}

TEST_P(Timers, BeatsThatABusyLoopMissedAreLeftOut) {
    std::atomic<int> beats = 0;
    start();
    on_loop([&](EventLoop& loop) {
        loop.schedule_every(milliseconds{10}, [&](EventLoop&) { ++beats; });
    });
    hold_loop();
    const Instant held = engine().now();
    ASSERT_TRUE(has_passed(held + milliseconds{200}));
    const int before = beats;
    release_loop();
    on_loop([](EventLoop&) {});
    on_loop([](EventLoop&) {});
    const auto since = (engine().now() - held - milliseconds{200}) / milliseconds{10};
    EXPECT_LE(beats - before, since + 2);
    stop();
}

TEST_P(Timers, PeriodicOneMayCancelItself) {
    Gate done;
    int beats = 0;
    start();
    on_loop([&](EventLoop& loop) {
        const auto own = std::make_shared<TimerId>();
        *own = loop.schedule_every(milliseconds{1}, [&, own](EventLoop& here) {
            if (++beats < 3) return;
            EXPECT_TRUE(here.cancel(*own));
            EXPECT_FALSE(here.cancel(*own));
            here.schedule_after(milliseconds{5}, [&](EventLoop&) { done.open(); });
        });
    });
    ASSERT_TRUE(done.pass());
    settle();
    EXPECT_EQ(beats, 3);
    EXPECT_EQ(waiting(), 0U);
}

TEST_P(Timers, ThrowIsCountedAndLoggedAndTheBeatGoesOn) {
    Gate done;
    int beats = 0;
    start();
    on_loop([&](EventLoop& loop) {
        loop.schedule_every(milliseconds{1}, [&](EventLoop&) {
            if (++beats == 3) done.open();
            throw std::runtime_error("off the beat");
        });
    });
    ASSERT_TRUE(done.pass());
    const StopReport report = stop();
    EXPECT_GE(report.handler_exceptions, 3U);
    EXPECT_TRUE(journal.has(LogLevel::error, "handler timer threw on loop 0: off the beat"));
}

// ── Other threads ────────────────────────────────────────────────────────────────────────────

TEST_P(Timers, AnyThreadArmsThemOnAnyLoop) {
    constexpr int kEach = 200;
    options.loops = 2;
    std::array<std::atomic<int>, 2> ran{};
    start();
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < kEach; ++i) {
                    const std::size_t at = i % 2 == 0 ? 0 : 1;
                    EXPECT_TRUE(engine().loop(at).post_after(milliseconds{i % 5},
                                                             [&ran, at](EventLoop& loop) {
                                                                 EXPECT_EQ(loop.index(), at);
                                                                 ++ran.at(at);
                                                             }));
                }
            });
        }
    }
    EXPECT_TRUE(eventually([&] { return ran[0] + ran[1] == 4 * kEach; }));
    EXPECT_EQ(ran[0], ran[1]);
}

TEST_P(Timers, CancelFromAnotherThreadIsInTimeIfItComesBeforeTheRun) {
    start();
    TimerId early;
    on_loop([&](EventLoop& loop) {
        early = loop.schedule_after(milliseconds{20},
                                    [](EventLoop&) { ADD_FAILURE() << "cancelled in time"; });
    });
    hold_loop();
    const TimerId late = engine().loop(0).post_after(
        milliseconds{20}, [](EventLoop&) { ADD_FAILURE() << "cancelled in time"; });
    const Instant due = engine().now() + milliseconds{20};
    ASSERT_TRUE(has_passed(due));  // both are due before the loop hears of the cancels
    EXPECT_TRUE(engine().loop(0).post_cancel(early));
    EXPECT_TRUE(engine().loop(0).post_cancel(late));
    release_loop();
    on_loop([](EventLoop&) {});
    on_loop([](EventLoop&) {});
    EXPECT_EQ(fired(), 0U);
    EXPECT_EQ(waiting(), 0U);
}

TEST_P(Timers, RaceOfRunsAndCancelsLosesNone) {
    constexpr int kTimers = 3'000;
    std::atomic<int> ran = 0;
    std::atomic<int> destroyed = 0;
    start();
    struct Witness {
        explicit Witness(std::atomic<int>& count) : destroyed(&count) {}
        Witness(Witness&& other) noexcept : destroyed(std::exchange(other.destroyed, nullptr)) {}
        Witness(const Witness&) = delete;
        ~Witness() {
            if (destroyed != nullptr) ++*destroyed;
        }
        std::atomic<int>* destroyed;
    };
    for (int i = 0; i < kTimers; ++i) {
        EventLoop& loop = engine().loop(0);
        const TimerId id = loop.post_after(
            milliseconds{i % 2}, [&ran, witness = Witness(destroyed)](EventLoop&) { ++ran; });
        ASSERT_TRUE(id);
        if (i % 3 == 0) {
            EXPECT_TRUE(loop.post_cancel(id));
        }
    }
    EXPECT_TRUE(eventually([&] { return destroyed == kTimers; }));
    settle();
    EXPECT_EQ(static_cast<std::uint64_t>(ran), fired());
    EXPECT_GE(ran, kTimers - kTimers / 3);
    EXPECT_EQ(waiting(), 0U);
}

TEST_P(Timers, OfAnotherLoopAreNotCancelled) {
    options.loops = 2;
    start();
    const TimerId id = engine().loop(1).post_after(hours{1}, [](EventLoop&) {});
    EXPECT_FALSE(engine().loop(0).post_cancel(id));
    on_loop([&](EventLoop& loop) { EXPECT_FALSE(loop.cancel(id)); }, 0);
    on_loop([&](EventLoop& loop) { EXPECT_TRUE(loop.cancel(id)); }, 1);
}

// ── The stop ─────────────────────────────────────────────────────────────────────────────────

TEST_P(Timers, AreDroppedAndCountedByAStop) {
    const auto owned = std::make_shared<int>();
    start();
    on_loop([&](EventLoop& loop) {
        loop.schedule_after(hours{1}, [owned](EventLoop&) { ADD_FAILURE() << "ran"; });
        loop.schedule_every(hours{1}, [owned](EventLoop&) { ADD_FAILURE() << "ran"; });
    });
    EXPECT_TRUE(engine().loop(0).post_after(hours{1}, [owned](EventLoop&) {}));
    const StopReport report = stop();
    EXPECT_EQ(report.tasks.timers_dropped, 3U);
    EXPECT_EQ(owned.use_count(), 1);
}

TEST_P(Timers, RunWhileTheEngineDrains) {
    Gate drained;
    script.drain = [&](Connection& peer, Deadline) {
        peer.schedule_after(milliseconds{5}, [](Connection& again) {
            again.write("done");
            again.close();
        });
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    opened();
    engine().request_stop();
    EXPECT_EQ(peer.read_to_end(), "done");
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(Timers, AreRefusedOnceTheLoopHasEnded) {
    TimerId from_loop_stop;
    TimerId from_the_drop;
    struct AsksAgain {
        EventLoop* loop;
        TimerId* got;
        AsksAgain(EventLoop* asked, TimerId* answer) : loop(asked), got(answer) {}
        AsksAgain(AsksAgain&& other) noexcept
            : loop(std::exchange(other.loop, nullptr)), got(other.got) {}
        AsksAgain(const AsksAgain&) = delete;
        ~AsksAgain() {
            if (loop != nullptr) *got = loop->schedule_after(hours{1}, [](EventLoop&) {});
        }
    };
    script.loop_stop = [&](EventLoop& loop) {
        from_loop_stop =
            loop.schedule_after(hours{1}, [asks = AsksAgain(&loop, &from_the_drop)](EventLoop&) {});
    };
    from_the_drop = TimerId(9, 9);
    start();
    const StopReport report = stop();
    EXPECT_TRUE(from_loop_stop);
    EXPECT_FALSE(from_the_drop);
    EXPECT_EQ(report.tasks.timers_dropped, 1U);
}

TEST_P(Timers, OfAnEarlierRunAreForgotten) {
    TimerId before;
    start();
    on_loop([&](EventLoop& loop) { before = loop.schedule_after(hours{1}, [](EventLoop&) {}); });
    stop();
    start();
    on_loop([&](EventLoop& loop) {
        const TimerId now = loop.schedule_after(hours{1}, [](EventLoop&) {});
        EXPECT_NE(now, before);
        EXPECT_FALSE(loop.cancel(before));
        EXPECT_TRUE(loop.cancel(now));
    });
}

// ── Of a connection ──────────────────────────────────────────────────────────────────────────

TEST_P(Timers, OfAConnectionWriteToIt) {
    script.open = [](Connection& peer) {
        peer.schedule_every(milliseconds{1}, [](Connection& each) { each.write("x"); });
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    EXPECT_EQ(peer.read(5), "xxxxx");
}

TEST_P(Timers, OfAConnectionDieWithIt) {
    const auto owned = std::make_shared<int>();
    script.open = [&](Connection& peer) {
        peer.schedule_after(hours{1}, [owned](Connection&) { ADD_FAILURE() << "ran"; });
        peer.schedule_every(hours{1}, [owned](Connection&) { ADD_FAILURE() << "ran"; });
        const TimerId third = peer.schedule_after(hours{1}, [owned](Connection&) {});
        peer.schedule_after(hours{1}, [owned](Connection&) {});
        EXPECT_TRUE(peer.loop().cancel(third));  // from the middle
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    RawPeer other = connect();
    opened(1);
    settle();
    EXPECT_EQ(waiting(), 6U);
    peer.close();
    closed();
    settle();
    EXPECT_EQ(waiting(), 3U);
    other.close();
    closed(1);
    settle();
    EXPECT_EQ(waiting(), 0U);
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_EQ(stop().tasks.timers_dropped, 0U);
}

TEST_P(Timers, OneThatThrowsLosesItsConnectionOnly) {
    script.traffic = [](Connection& peer) {
        peer.discard();
        peer.schedule_after(milliseconds{1}, [](Connection&) { throw std::runtime_error("late"); });
        return Action::none;
    };
    start();
    RawPeer peer = connect();
    RawPeer other = connect();
    opened(1);
    peer.send("x");
    peer.read_to_end();
    EXPECT_EQ(closed(), CloseReason::handler_threw);
    EXPECT_EQ(script.closed().size(), 1U);
}

TEST_P(Timers, OfAConnectionThatIsClosingAreRefused) {
    TimerId in_close = TimerId(9, 9);
    script.close = [&](Connection& peer, CloseReason) {
        in_close = peer.schedule_after(milliseconds{1}, [](Connection&) {});
    };
    start();
    connect().close();
    closed();
    settle();
    EXPECT_FALSE(in_close);
}

BERTH_FOR_EACH_DRIVER(Timers);

}  // namespace
}  // namespace berth::test
