// SPDX-License-Identifier: MIT
//
// Busy polling: for how long a loop looks for events before it sleeps.
//
// Method: a driver whose events come when the test says, and a clock that only it moves: a look
// takes 1 us, a sleep as long as it lasts.

#include "loop/busy_poll.hpp"

#include "loop/loop.hpp"
#include "unit/net/scripted_system.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>

namespace berth::loop {
namespace {

using namespace std::chrono_literals;
using driver::Outcome;

constexpr Duration kLook = 1us;
constexpr Duration kBound = 40us;

struct Seen {
    int looks = 0;
    int sleeps = 0;
    int wakes = 0;
};

class ScriptedDriver final : public driver::Driver {
public:
    ScriptedDriver(Loop& sink, net::scripted::ScriptedSystem& system, Seen& seen, Instant& next)
        : sink_(sink), system_(system), seen_(seen), next_(next) {}

    Outcome<void> poll(Deadline deadline) override {
        const bool looks = deadline <= system_.time;
        ++(looks ? seen_.looks : seen_.sleeps);
        system_.time = looks ? system_.time + kLook : std::min(deadline, next_);
        const bool comes = system_.time >= next_;
        if (comes) next_ = Instant::never();
        sink_.on_awake(comes ? 1 : 0);
        return {};
    }
    void wake() override { ++seen_.wakes; }

    Outcome<void> start_watch(driver::Watched&) override { return {}; }
    void stop_watch(driver::Watched&) override {}
    Outcome<void> start_accept(driver::Listener&) override { return {}; }
    void stop_accept(driver::Listener&) override {}
    Outcome<void> start_receive(driver::Stream&) override { return {}; }
    Outcome<void> connect(driver::Stream&, const Endpoint&) override { return {}; }
    void pause_receive(driver::Stream&) override {}
    void resume_receive(driver::Stream&) override {}
    driver::Sent send(driver::Stream&, Bytes) override { return driver::Sent::done(0); }
    driver::Sent send_slices(driver::Stream&, driver::Slices) override {
        return driver::Sent::done(0);
    }
    driver::Sent send_soon(driver::Stream&, Bytes) override { return driver::Sent::done(0); }
    driver::Slices settle(driver::Stream&) override { return {}; }
    void send_when_ready(driver::Stream&, const driver::Slices&) override {}
    void end_sending(driver::Stream&) override {}
    void close(driver::Stream&, driver::Ending) override {}
    Outcome<void> start_receive_datagrams(driver::DatagramSocket&) override { return {}; }
    void stop_receive_datagrams(driver::DatagramSocket&) override {}
    void finish_receive_datagrams(driver::DatagramSocket&) override {}
    driver::Sent send_datagrams(driver::DatagramSocket&, driver::OutgoingDatagrams) override {
        return driver::Sent::done(0);
    }
    bool delivered_all() const override { return true; }
    bool is_put_off(const driver::Stream&) const override { return false; }

private:
    Loop& sink_;
    net::scripted::ScriptedSystem& system_;
    Seen& seen_;
    Instant& next_;
};

class BusyPolling : public testing::Test, protected BatchEvents {
protected:
    struct Noting final : Task {
        void run() override { has_run = true; }
        void cancel() override {}
        bool has_run = false;
    };
    struct Alarm : Timer {
        Alarm() : Timer([](Timer& timer) { static_cast<Alarm&>(timer).has_fired = true; }) {}
        bool has_fired = false;
    };

    void start(Duration bound) {
        loop.set_busy_poll(bound);
        DriverFactory factory([this](Loop& sink) {
            return Outcome<std::unique_ptr<driver::Driver>>(
                std::make_unique<ScriptedDriver>(sink, system, seen, next));
        });
        ASSERT_TRUE(loop.open(factory));
    }
    void TearDown() override { loop.shut(); }
    void on_batch_end() override {}

    void step() { ASSERT_TRUE(loop.run_once(Deadline::never())); }
    // Iterates until an event has come, so long after now.
    void wait_for_event(Duration after) {
        seen = {};
        next = system.time + after;
        while (!next.is_never()) step();
    }
    void wait_for_events(int count, Duration after) {
        for (int i = 0; i < count; ++i) wait_for_event(after);
    }

    net::scripted::ScriptedSystem system;
    Seen seen;
    Instant next = Instant::never();
    Loop loop{system, *this};
};

TEST_F(BusyPolling, IsOffUnlessItIsAskedFor) {
    start(0us);
    wait_for_events(20, 2us);
    EXPECT_EQ(seen.looks, 0);
    EXPECT_EQ(seen.sleeps, 1);
}

TEST_F(BusyPolling, BeginsWhenWaitsAreShortAndThenSleepsNoMore) {
    start(kBound);
    wait_for_event(2us);
    EXPECT_EQ(seen.looks, 0) << "nothing is known yet";
    wait_for_events(4, 2us);
    EXPECT_EQ(seen.sleeps, 0);
    EXPECT_EQ(seen.looks, 2);
}

TEST_F(BusyPolling, LooksNoLongerThanTheBoundAndThenSleepsOnce) {
    start(kBound);
    wait_for_events(10, 2us);
    const Instant began = system.time;
    wait_for_event(1s);
    EXPECT_EQ(seen.looks, kBound / kLook);
    EXPECT_EQ(seen.sleeps, 1);
    EXPECT_EQ(system.time, began + 1s);
}

TEST_F(BusyPolling, DoesNotLookWhereWaitsWereLong) {
    start(kBound);
    wait_for_events(10, 2us);
    wait_for_events(4, 1ms);
    EXPECT_EQ(seen.looks, 0);
    wait_for_events(20, kBound + 1us);
    EXPECT_EQ(seen.looks, 0) << "a wait beyond the bound is a long one";
}

TEST_F(BusyPolling, LooksForLessAfterEachLongWait) {
    start(kBound);
    wait_for_events(10, 2us);
    for (const Duration window : {kBound, kBound / 2, kBound / 4, Duration{0}}) {
        wait_for_event(1ms);
        EXPECT_EQ(seen.looks, window / kLook);
    }
    wait_for_event(kBound);
    wait_for_event(1ms);
    EXPECT_EQ(seen.looks, kBound / 4 / kLook) << "one short wait, and it tries again";
}

TEST_F(BusyPolling, TaskIsSeenAtTheNextLookAndWakesNobody) {
    start(kBound);
    wait_for_events(10, 2us);
    seen = {};
    step();
    Noting task;
    ASSERT_TRUE(loop.post(task));
    step();
    EXPECT_TRUE(task.has_run);
    EXPECT_EQ(seen.wakes, 0);
    EXPECT_EQ(seen.sleeps, 0);
}

TEST_F(BusyPolling, TasksThatComeSoonKeepItLooking) {
    start(kBound);
    Noting task;
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(loop.post(task));
        step();
    }
    seen = {};
    step();
    EXPECT_EQ(seen.looks, 1);
}

TEST_F(BusyPolling, TimerEndsTheLookingInTime) {
    start(kBound);
    wait_for_events(10, 2us);
    Alarm alarm;
    const Instant due = system.time + 2ms;
    loop.timers().arm(alarm, due);
    seen = {};
    while (!alarm.has_fired) step();
    EXPECT_GE(system.time, due);
    EXPECT_LE(system.time, due + 1ms) << "the tick of the wheel";
    EXPECT_GE(seen.looks, kBound / kLook);
    EXPECT_LE(seen.looks, kBound / kLook + 2) << "what a timer does is no reason to look again";
}

TEST_F(BusyPolling, HurryIsHeardOnce) {
    start(kBound);
    loop.hurry();
    step();
    EXPECT_EQ(seen.looks, 1);
    wait_for_event(1ms);
    EXPECT_EQ(seen.looks, 0);
}

}  // namespace
}  // namespace berth::loop
