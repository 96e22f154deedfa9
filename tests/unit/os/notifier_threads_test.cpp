// SPDX-License-Identifier: MIT
//
// Notifier: no notification is lost, several are one.

#include "os/calls.hpp"
#include "os/message.hpp"
#include "os/notifier.hpp"
#include "os/owned_descriptor.hpp"
#include "support/descriptors.hpp"

#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX, not C++

#include <array>
#include <cerrno>
#include <chrono>  // IWYU pragma: keep: its literals
#include <span>
#include <thread>
#include <vector>

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

TEST(Notifier, RemembersWhatCameBeforeItWasOpened) {
    Notifier notifier;
    notifier.notify();
    ASSERT_TRUE(notifier.open());
    ASSERT_TRUE(notifier.open());
    EXPECT_TRUE(notifier.wait(kNever));
    EXPECT_FALSE(notifier.wait(0ns));
}

TEST(Notifier, HearsADescriptorThatIsReadableOrHungUp) {
    Notifier notifier;
    const OwnedDescriptor raised{*open_eventfd()};
    auto pair = message_pair();
    const OwnedDescriptor near{pair->first};
    OwnedDescriptor far{pair->second};
    const std::array watched{raised.number(), near.number()};
    EXPECT_FALSE(notifier.wait(0ns, watched));
    raise_eventfd(raised.number());
    EXPECT_TRUE(notifier.wait(kNever, watched));
    EXPECT_TRUE(notifier.wait(0ns, watched));  // as long as it is

    far = OwnedDescriptor{-1};
    EXPECT_TRUE(notifier.wait(kNever, std::span(watched).last(1)));
}

TEST(Notifier, LooksAtNoMoreDescriptorsThanItHasRoomFor) {
    Notifier notifier;
    const OwnedDescriptor raised{*open_eventfd()};
    raise_eventfd(raised.number());
    std::vector<int> watched(Notifier::kWatchedMax, -1);
    watched.push_back(raised.number());
    EXPECT_FALSE(notifier.wait(0ns, watched));
    watched[0] = raised.number();
    EXPECT_TRUE(notifier.wait(0ns, watched));
}

TEST(Notifier, SaysWhyItCannotBeOpenedAndHearsTheDescriptorsAllTheSame) {
    Notifier notifier;
    const OwnedDescriptor raised{*open_eventfd()};
    const test::DescriptorFamine famine;
    EXPECT_EQ(notifier.open().errno_value(), EMFILE);
    notifier.notify();
    EXPECT_TRUE(notifier.wait(kNever));
    EXPECT_FALSE(notifier.wait(1ms));
    raise_eventfd(raised.number());
    EXPECT_TRUE(notifier.wait(kNever, std::array{raised.number()}));
}

TEST(Notifier, OutlastsASignalInTheWait) {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    struct sigaction before{};
    ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
    Notifier notifier;
    const pthread_t waiter = ::pthread_self();
    std::jthread other{[&] {
        ::pthread_kill(waiter, SIGUSR1);
        notifier.notify();
    }};
    EXPECT_TRUE(notifier.wait(kNever));
    other.join();
    ::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace berth::os
