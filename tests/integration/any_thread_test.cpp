// SPDX-License-Identifier: MIT
//
// Calls by id from any thread: taken or not, and if taken, completed exactly once.

#include "integration/support_engine.hpp"

#include <algorithm>
#include <array>
#include <thread>

namespace berth::test {
namespace {

constexpr std::size_t kThreads = 4;

class AnyThread : public AnEngine {
protected:
    // Runs `body` on kThreads threads and waits for them.
    static void on_threads(const std::function<void(std::size_t)>& body) {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back(body, thread);
        }
    }
};

// How often each call was taken and each completion ran.
class Tally {
public:
    Completion completion() {
        return [this](ConnectionId, Delivery how) { ++counts_[static_cast<std::size_t>(how)]; };
    }
    void took(bool taken) {
        if (taken) ++taken_;
    }
    std::size_t taken() const { return taken_; }
    std::size_t of(Delivery how) const { return counts_[static_cast<std::size_t>(how)]; }
    std::size_t completed() const {
        std::size_t sum = 0;
        for (const auto& count : counts_) sum += count;
        return sum;
    }

private:
    std::atomic<std::size_t> taken_ = 0;
    std::array<std::atomic<std::size_t>, 4> counts_{};
};

// All four calls in turn; `id` may be of any age.
void call_everything(Engine& engine, ConnectionId id, Tally& tally) {
    tally.took(engine.post(id, [](Connection&) {}, tally.completion()));
    tally.took(engine.write(id, "x", tally.completion()));
    tally.took(engine.wake(id, tally.completion()));
}

TEST_P(AnyThread, EveryCallCompletesWithWhatItDid) {
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    const auto wrote = [&](Completion done) { return engine().write(id, "hi", std::move(done)); };
    const auto posted = [&](Completion done) {
        return engine().post(id, [](Connection&) {}, std::move(done));
    };
    const auto woke = [&](Completion done) { return engine().wake(id, std::move(done)); };
    const auto closed = [&](Completion done) {
        return engine().close(id, CloseMode::now, std::move(done));
    };
    EXPECT_EQ(delivered(wrote), Delivery::written);
    EXPECT_EQ(delivered(posted), Delivery::ran);
    EXPECT_EQ(delivered(woke), Delivery::ran);
    EXPECT_EQ(delivered(closed), Delivery::ran);
    EXPECT_EQ(peer.read_to_end(), "hi");
    EXPECT_EQ(delivered(wrote), Delivery::stale);
    EXPECT_EQ(delivered(closed), Delivery::stale);
}

TEST_P(AnyThread, CompletionNamesTheIdAndRunsOnItsLoop) {
    options.loops = 2;
    options.balance = Balance::round_robin;
    start();
    const RawPeer first = connect();
    const RawPeer second = connect();
    for (std::size_t i = 0; i < 2; ++i) {
        const ConnectionId id = opened(i);
        ConnectionId told;
        std::thread::id where;
        EXPECT_TRUE(delivered([&](Completion done) {
            return engine().wake(
                id, [&, done = std::move(done)](ConnectionId of, Delivery how) mutable {
                    told = of;
                    where = std::this_thread::get_id();
                    done(of, how);
                });
        }));
        EXPECT_EQ(told, id);
        on_loop([&](EventLoop&) { EXPECT_EQ(std::this_thread::get_id(), where); }, id.loop());
    }
}

TEST_P(AnyThread, WakeRunsOnTrafficWithoutBytes) {
    script.traffic = [](Connection& peer) { return peer.write("awake"), Action::none; };
    start();
    RawPeer peer = connect();
    ASSERT_TRUE(engine().wake(opened()));
    EXPECT_EQ(peer.read(5), "awake");
}

TEST_P(AnyThread, WriteCutOffByACloseIsStale) {
    start();
    RawPeer peer = connect_slow();
    const ConnectionId id = opened();
    Tally tally;
    ASSERT_TRUE(engine().write(id, Buffer::adopt(pattern(8U << 20U)), tally.completion()));
    ASSERT_TRUE(engine().close(id, CloseMode::reset));
    EXPECT_TRUE(eventually([&] { return tally.completed() == 1; }));
    EXPECT_EQ(tally.of(Delivery::stale), 1U);
}

TEST_P(AnyThread, WriteCutOffByAStopIsCancelled) {
    script.drain = [](Connection&, Deadline) { return Action::none; };
    start();
    RawPeer peer = connect_slow();
    Tally tally;
    ASSERT_TRUE(engine().write(opened(), Buffer::adopt(pattern(8U << 20U)), tally.completion()));
    settle();
    engine().request_stop(engine().now());
    stop();
    EXPECT_EQ(tally.completed(), 1U);
    EXPECT_EQ(tally.of(Delivery::cancelled_by_stop), 1U);
}

TEST_P(AnyThread, CallsOfOneThreadToOneConnectionKeepTheirOrder) {
    constexpr std::size_t kCalls = 2'000;
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    std::array<std::vector<std::size_t>, kThreads> ran;
    on_threads([&](std::size_t thread) {
        for (std::size_t call = 0; call < kCalls; ++call) {
            EXPECT_TRUE(engine().post(
                id, [&ran, thread, call](Connection&) { ran[thread].push_back(call); }));
        }
    });
    settle();
    for (const auto& calls : ran) {
        EXPECT_EQ(calls.size(), kCalls);
        EXPECT_TRUE(std::ranges::is_sorted(calls));
    }
}

TEST_P(AnyThread, WritesOfManyThreadsArriveWholeAndInOrder) {
    constexpr std::size_t kWrites = 1'000;
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    std::string read;
    std::jthread reader([&] { read = peer.read(kThreads * kWrites * 6); });
    on_threads([&](std::size_t thread) {
        for (std::size_t number = 0; number < kWrites; ++number) {
            const std::string digits = std::to_string(10'000 + number).substr(1);
            EXPECT_TRUE(engine().write(id, std::to_string(thread) + digits + "\n"));
        }
    });
    reader.join();
    std::array<std::size_t, kThreads> next{};
    for (std::size_t at = 0; at < read.size(); at += 6) {
        const std::size_t thread = static_cast<std::size_t>(read[at] - '0');
        ASSERT_EQ(std::stoul(read.substr(at + 1, 4)), next.at(thread)++);
    }
}

TEST_P(AnyThread, EveryTakenCallCompletesOnceWhileConnectionsComeAndGo) {
    start();
    Tally tally;
    std::vector<RawPeer> peers;
    for (int i = 0; i < 20; ++i) peers.push_back(connect());
    opened(19);
    on_threads([&](std::size_t thread) {
        for (std::size_t call = 0; call < 1'000; ++call) {
            const ConnectionId id = script.opened()[call % 20];
            call_everything(engine(), id, tally);
            if (thread == 0 && call % 50 == 49) {
                tally.took(engine().close(id, CloseMode::now, tally.completion()));
            }
        }
    });
    EXPECT_TRUE(eventually([&] {
        for (RawPeer& peer : peers) peer.read_now();  // a transport may wait for that
        return tally.completed() == tally.taken();
    }));
    EXPECT_GT(tally.of(Delivery::stale), 0U);
    EXPECT_EQ(tally.of(Delivery::cancelled_by_stop), 0U);
    EXPECT_EQ(tally.taken(), kThreads * 3'000 + 20);
    stop();
    EXPECT_EQ(tally.completed(), tally.taken());
}

TEST_P(AnyThread, EveryTakenCallCompletesOnceAlsoAgainstAStop) {
    Tally tally;
    options.loops = 2;
    for (int run = 0; run < 10; ++run) {
        start();
        std::vector<RawPeer> peers;
        for (int i = 0; i < 4; ++i) peers.push_back(connect());
        const std::size_t known = script.opened().size();
        opened(known < 4 ? 3 : known - 1);
        std::jthread reader([&] {
            for (RawPeer& peer : peers) peer.read_to_end();
        });
        on_threads([&](std::size_t thread) {
            for (std::size_t call = 0; call < 300; ++call) {
                if (thread == 0 && call == 100) engine().request_stop();
                const auto ids = script.opened();
                call_everything(engine(), ids[ids.size() - 1 - call % 4], tally);
            }
        });
        stop();
        ASSERT_EQ(tally.completed(), tally.taken());
    }
}

TEST_P(AnyThread, CompletionMayCallAgain) {
    std::atomic<int> rounds = 0;
    start();
    RawPeer peer = connect();
    const ConnectionId id = opened();
    std::function<void(ConnectionId, Delivery)> again = [&](ConnectionId, Delivery) {
        if (++rounds < 100) engine().write(id, ".", again);
    };
    engine().write(id, ".", again);
    EXPECT_EQ(peer.read(100).size(), 100U);
    EXPECT_TRUE(eventually([&] { return rounds == 100; }));
}

BERTH_FOR_EACH_DRIVER(AnyThread);

}  // namespace
}  // namespace berth::test
