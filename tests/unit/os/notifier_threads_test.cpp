// SPDX-License-Identifier: MIT
//
// Notifier: no notification is lost, several are one.

#include "os/notifier.hpp"

#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>  // IWYU pragma: keep: its literals
#include <thread>

namespace berth::os {
namespace {

using namespace std::chrono_literals;

TEST(Notifier, AnswersFalseWhenTheTimePasses) {
    Notifier notifier;
    EXPECT_FALSE(notifier.wait(0ns));
    EXPECT_FALSE(notifier.wait(1ms));
}

TEST(Notifier, RemembersANotificationUntilTheWait) {
    Notifier notifier;
    notifier.notify();
    EXPECT_TRUE(notifier.wait(kNever));
}

TEST(Notifier, MergesNotifications) {
    Notifier notifier;
    notifier.notify();
    notifier.notify();
    EXPECT_TRUE(notifier.wait(0ns));
    EXPECT_FALSE(notifier.wait(0ns));
}

TEST(Notifier, WakesAWaitFromAnotherThread) {
    Notifier notifier;
    std::jthread other{[&] { notifier.notify(); }};
    EXPECT_TRUE(notifier.wait(kNever));
}

}  // namespace
}  // namespace berth::os
