// SPDX-License-Identifier: MIT
//
// SignalWatch: counts, wakes, and leaves the process as it found it.
//
// Method: real signals, raised by the test itself.

#include "os/notifier.hpp"
#include "os/signals.hpp"

#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <stop_token>
#include <thread>

namespace berth::os {
namespace {

constexpr std::array kStops{SIGTERM, SIGINT};

void ignore(int) {}

class Signals : public testing::Test {
protected:
    Notifier notifier;
};

TEST_F(Signals, AreCountedEachForItself) {
    const auto watch = SignalWatch::start(kStops, notifier);
    ASSERT_TRUE(watch);
    std::raise(SIGTERM);
    std::raise(SIGINT);
    std::raise(SIGTERM);
    EXPECT_EQ((*watch)->count(SIGTERM), 2U);
    EXPECT_EQ((*watch)->count(SIGINT), 1U);
}

TEST_F(Signals, WakeTheWaiter) {
    const auto watch = SignalWatch::start(kStops, notifier);
    ASSERT_TRUE(watch);
    std::jthread other{[] { ::kill(::getpid(), SIGTERM); }};
    EXPECT_TRUE(notifier.wait(kNever));
    EXPECT_EQ((*watch)->count(SIGTERM), 1U);
}

TEST_F(Signals, CountFromZeroInANewWatch) {
    {
        const auto first = SignalWatch::start(kStops, notifier);
        std::raise(SIGINT);
    }
    const auto second = SignalWatch::start(kStops, notifier);
    ASSERT_TRUE(second);
    EXPECT_EQ((*second)->count(SIGINT), 0U);
}

TEST_F(Signals, HaveOneWatchAtATime) {
    const auto first = SignalWatch::start(kStops, notifier);
    EXPECT_TRUE(first);
    EXPECT_EQ(SignalWatch::start(kStops, notifier).errno_value(), EBUSY);
    EXPECT_EQ((*first)->count(SIGTERM), 0U) << "the first one still counts";
}

TEST_F(Signals, GetTheirEarlierActionBack) {
    struct sigaction ours{};
    struct sigaction after{};
    struct sigaction original{};
    ours.sa_handler = ignore;
    ::sigaction(SIGTERM, &ours, &original);
    {
        const auto watch = SignalWatch::start(kStops, notifier);
    }
    ::sigaction(SIGTERM, &original, &after);
    EXPECT_EQ(after.sa_handler, &ignore);
}

TEST_F(Signals, ThatAreNotWatchedKeepTheirAction) {
    const auto before = std::signal(SIGUSR2, ignore);
    const auto watch = SignalWatch::start(kStops, notifier);
    EXPECT_EQ(std::signal(SIGUSR2, before), &ignore);
}

TEST_F(Signals, ThatCannotBeWatchedGiveTheOthersBack) {
    std::signal(SIGTERM, ignore);
    EXPECT_EQ(SignalWatch::start(std::array{SIGTERM, SIGKILL}, notifier).errno_value(), EINVAL);
    EXPECT_EQ(std::signal(SIGTERM, SIG_DFL), &ignore);
    EXPECT_TRUE(SignalWatch::start(kStops, notifier)) << "the failed one is gone";
}

TEST_F(Signals, EndNoWatchWhileAHandlerStillRuns) {
    std::signal(SIGTERM, ignore);  // what the watch gives back
    std::jthread other{[](const std::stop_token& stop) {
        while (!stop.stop_requested()) std::raise(SIGTERM);
    }};
    for (int round = 0; round < 200; ++round) {
        Notifier short_lived;
        const auto watch = SignalWatch::start(kStops, short_lived);
        ASSERT_TRUE(short_lived.wait(std::chrono::seconds{10}));
    }
    other.request_stop();
    other.join();
    std::signal(SIGTERM, SIG_DFL);
}

}  // namespace
}  // namespace berth::os
