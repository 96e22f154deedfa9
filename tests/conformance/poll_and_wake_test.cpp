// SPDX-License-Identifier: MIT
//
// Polling and waking: when a poll waits, when it must not, and what ends its wait.

#include "conformance/conformance.hpp"

#include <atomic>
#include <thread>

namespace berth::conformance {
namespace {

using driver::Ending;
using driver::Listener;

class Poll : public Conformance {
protected:
    // Waits are bounded by a deadline that no test comes near.
    ::testing::AssertionResult poll_returns_early() {
        return is_early(world().poll_within(test::patience()));
    }
    ::testing::AssertionResult is_early(Duration took) {
        if (took < test::patience() / 2) return ::testing::AssertionSuccess();
        return ::testing::AssertionFailure() << "waited; saw: " << sink().to_string();
    }

    // A poll may return early for a reason of its own, but not again and again.
    void expect_quiet() {
        world().advance_idly();
        const std::size_t before = sink().polls();
        const Instant end = world().system().now() + std::chrono::milliseconds{30};
        while (world().system().now() < end) world().poll_within(end - world().system().now());
        EXPECT_LE(sink().polls() - before, 5u) << "poll does not wait";
    }
};
class Wake : public Poll {
protected:
    ::testing::AssertionResult poll_beside_threads_returns_early() {
        return is_early(world().poll_beside_threads(test::patience()));
    }
};

INSTANTIATE_TEST_SUITE_P(World, Poll, ::testing::ValuesIn(worlds()), name_of_world);
INSTANTIATE_TEST_SUITE_P(World, Wake, ::testing::ValuesIn(worlds()), name_of_world);

// 6
TEST_P(Poll, ReturnsAtOnceWhenItsDeadlineHasPassed) {
    EXPECT_LT(world().poll_within(Duration{-1}), test::patience() / 2);
    ASSERT_TRUE(driver().poll(Deadline{}));
    EXPECT_TRUE(sink().all().empty());
}

// 6
TEST_P(Poll, WaitsNoLongerThanItsDeadline) {
    EXPECT_LT(world().poll_within(std::chrono::milliseconds{20}), test::patience() / 2);
}

// 6
TEST_P(Poll, WaitsWhenNothingIsReady) {
    auto [stream, peer] = world().receiving_pair();
    expect_quiet();
}

// 6: both ends have said FIN; the kernel reports that as long as one asks
TEST_P(Poll, WaitsBesideAnEndedStream) {
    auto [stream, peer] = world().receiving_pair();
    peer->end();
    ASSERT_TRUE(comes(Kind::receive_end, stream));
    driver().end_sending(stream);
    expect_quiet();
}

// 6
TEST_P(Poll, WaitsBesideAPausedStream) {
    auto [stream, peer] = world().receiving_pair();
    driver().pause_receive(stream);
    world().send_all(*peer, "held");
    expect_quiet();
}

// 6
TEST_P(Poll, DoesNotWaitForAClose) {
    auto [stream, peer] = world().receiving_pair();
    world().advance_idly();
    driver().close(stream, Ending::orderly);
    EXPECT_TRUE(poll_returns_early());
    EXPECT_TRUE(has_come(Kind::closed, stream));
}

// 6
TEST_P(Poll, DoesNotWaitForAStop) {
    Listener& listener = world().listen();
    ASSERT_TRUE(driver().start_accept(listener));
    world().advance_idly();
    driver().stop_accept(listener);
    EXPECT_TRUE(poll_returns_early());
    EXPECT_TRUE(has_come(Kind::accept_end, listener));
}

// 6: what a sink's calls complete comes before poll returns
TEST_P(Poll, DeliversWhatItsSinkStarted) {
    auto [stream, peer] = world().receiving_pair();
    Listener& listener = world().listen();
    ASSERT_TRUE(driver().start_accept(listener));
    sink().on_completion = [&](const Completion& each, Bytes) {
        if (each.kind == Kind::received) driver().close(stream, Ending::orderly);
        if (each.kind == Kind::closed) driver().stop_accept(listener);
    };
    world().send_all(*peer, "all of you, stop");
    ASSERT_TRUE(receives(stream, 1));
    EXPECT_TRUE(has_come(Kind::accept_end, listener));
}

// ── Waking ───────────────────────────────────────────────────────────────────────────────────

// 9
TEST_P(Wake, EndsAWait) {
    std::thread other{[&] { driver().wake(); }};
    EXPECT_TRUE(poll_beside_threads_returns_early());
    other.join();
}

// 9
TEST_P(Wake, BeforeThePollIsNotLost) {
    world().advance();
    driver().wake();
    EXPECT_TRUE(poll_returns_early());
}

// 9: two threads answer each other's note; a lost wake would leave one waiting
TEST_P(Wake, NoneIsLostAmongMany) {
    constexpr int kRounds = 500;
    std::atomic<int> asked = 0;
    std::atomic<int> answered = 0;
    std::atomic<bool> given_up = false;
    std::thread other{[&] {
        for (int round = 1; round <= kRounds && !given_up; ++round) {
            asked = round;
            driver().wake();
            while (answered < round && !given_up) std::this_thread::yield();
        }
    }};
    for (int round = 1; round <= kRounds && !given_up; ++round) {
        while (asked < round && !given_up) given_up = !poll_beside_threads_returns_early();
        answered = round;
    }
    other.join();
    EXPECT_FALSE(given_up) << "a wake was lost in round " << answered;
}

// 9: it concerns the next wait
TEST_P(Wake, FromInsideACompletion) {
    auto [stream, peer] = world().receiving_pair();
    sink().on_completion = [&](const Completion&, Bytes) { driver().wake(); };
    world().send_all(*peer, "ring");
    ASSERT_TRUE(receives(stream, 4));
    EXPECT_TRUE(poll_returns_early());
}

}  // namespace
}  // namespace berth::conformance
