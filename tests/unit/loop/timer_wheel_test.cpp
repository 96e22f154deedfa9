// SPDX-License-Identifier: MIT
//
// TimerWheel: nothing early, nothing late, everything in order, and no spinning, by examples.
// timer_wheel_model_test.cpp has the rest.

#include "loop/timer_wheel.hpp"

#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace berth::loop {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// A timer that does what the test wants.
struct Alarm : Timer {
    explicit Alarm(std::function<void()> what = [] {})
        : Timer([](Timer& timer) { static_cast<Alarm&>(timer).ring(); }), action(std::move(what)) {}
    void ring() {
        ++fired;
        // A copy: the action may be the end of this alarm.
        const std::function<void()> running = action;
        running();
    }

    std::function<void()> action;
    int fired = 0;
};

class AWheel : public testing::Test {
protected:
    // Not on a tick, so that rounding shows.
    static constexpr Instant kStart{seconds{1000} + microseconds{300}};
    static Instant after(Duration since_start) { return kStart + since_start; }

    // Goes from next() to next(), as a loop does, until something fires; when that was.
    Instant run_until_fired() {
        for (std::size_t waits = 0; waits < kWaitsMax && !wheel.next().is_never(); ++waits) {
            const Instant now = wheel.next();
            if (wheel.advance(now) != 0) return now;
        }
        return Instant::never();
    }

    static constexpr std::size_t kWaitsMax = 8;  // one per level
    TimerWheel wheel{kStart};
};

TEST_F(AWheel, HasNothingToWaitForWhenNothingIsArmed) {
    EXPECT_TRUE(wheel.next().is_never());
    EXPECT_EQ(wheel.advance(after(hours{1})), 0u);
}

TEST_F(AWheel, FiresOnceAtTheDeadlineRoundedUpToATick) {
    Alarm alarm;
    wheel.arm(alarm, after(milliseconds{5}));  // 1000.0053 s: its tick is 1000.006 s
    wheel.advance(after(milliseconds{5}));
    EXPECT_EQ(alarm.fired, 0) << "early, by a tick";
    EXPECT_EQ(wheel.advance(after(milliseconds{6})), 1u);
    EXPECT_EQ(wheel.advance(after(milliseconds{60})), 0u);
    EXPECT_EQ(alarm.fired, 1);
    EXPECT_FALSE(alarm.is_armed());
}

class WheelOverDistance : public AWheel, public testing::WithParamInterface<Duration> {};

TEST_P(WheelOverDistance, IsNeitherEarlyNorLateAndDoesNotSpin) {
    Alarm alarm;
    const Instant deadline = after(GetParam());
    wheel.arm(alarm, deadline);
    const Instant fired = run_until_fired();
    EXPECT_GE(fired, deadline);
    EXPECT_LT(fired - deadline, milliseconds{1});
    EXPECT_TRUE(wheel.next().is_never());
}

INSTANTIATE_TEST_SUITE_P(Any, WheelOverDistance,
                         testing::Values(nanoseconds{1}, milliseconds{1}, milliseconds{63},
                                         milliseconds{64}, milliseconds{65}, milliseconds{4095},
                                         milliseconds{4096}, seconds{262}, seconds{263}, hours{5},
                                         days{12}, days{13}, days{800}, days{100'000}));

TEST_F(AWheel, FiresADeadlineThatHasPassedWithTheNextAdvance) {
    Alarm alarm;
    wheel.advance(after(milliseconds{10}));
    wheel.arm(alarm, after(milliseconds{10}));
    EXPECT_LE(wheel.next(), after(milliseconds{10}));
    EXPECT_EQ(alarm.fired, 0) << "never from inside arm";
    EXPECT_EQ(wheel.advance(after(milliseconds{10})), 1u);
}

TEST_F(AWheel, ForgetsATimerThatIsCancelled) {
    Alarm near;
    Alarm far;
    Alarm passed;
    wheel.arm(near, after(milliseconds{5}));
    wheel.arm(far, after(hours{5}));
    wheel.arm(passed, kStart);
    for (Alarm* alarm : {&near, &far, &passed, &near}) wheel.cancel(*alarm);
    EXPECT_TRUE(wheel.next().is_never());
    EXPECT_EQ(wheel.advance(after(hours{6})), 0u);
}

TEST_F(AWheel, MovesATimerThatIsArmedAgain) {
    Alarm alarm;
    wheel.arm(alarm, after(milliseconds{5}));
    wheel.arm(alarm, after(milliseconds{500}));
    EXPECT_EQ(wheel.advance(after(milliseconds{100})), 0u);
    wheel.arm(alarm, after(milliseconds{200}));
    EXPECT_EQ(wheel.advance(after(milliseconds{201})), 1u);
}

TEST_F(AWheel, DisarmsATimerWhoseDeadlineIsNever) {
    Alarm alarm;
    wheel.arm(alarm, after(milliseconds{5}));
    wheel.arm(alarm, Instant::never());
    EXPECT_FALSE(alarm.is_armed());
    EXPECT_TRUE(wheel.next().is_never());
}

TEST_F(AWheel, FiresInTheOrderOfTicksThenOfArming) {
    std::vector<int> order;
    std::array<Alarm, 4> alarms;
    for (int number = 0; number < 4; ++number) {
        alarms[static_cast<std::size_t>(number)].action = [&, number] { order.push_back(number); };
    }
    wheel.arm(alarms[0], after(milliseconds{100}));
    wheel.arm(alarms[1], after(milliseconds{90}));
    wheel.arm(alarms[2], after(milliseconds{100}));
    wheel.advance(after(milliseconds{80}));
    wheel.arm(alarms[3], after(milliseconds{100}));
    wheel.advance(after(seconds{1}));
    EXPECT_EQ(order, (std::vector{1, 0, 2, 3}));
}

TEST_F(AWheel, LetsATimerThatReArmsForNowWaitForTheNextAdvance) {
    Alarm alarm;
    alarm.action = [&] { wheel.arm(alarm, after(milliseconds{10})); };
    wheel.arm(alarm, after(milliseconds{5}));
    EXPECT_EQ(wheel.advance(after(milliseconds{10})), 1u);
    EXPECT_LE(wheel.next(), after(milliseconds{10}));
    EXPECT_EQ(wheel.advance(after(milliseconds{10})), 1u);
    wheel.cancel(alarm);
}

TEST_F(AWheel, LetsATimerCancelOneThatIsDueToo) {
    Alarm second;
    Alarm first([&] { wheel.cancel(second); });
    wheel.arm(first, after(milliseconds{5}));
    wheel.arm(second, after(milliseconds{6}));
    EXPECT_EQ(wheel.advance(after(milliseconds{50})), 1u);
    EXPECT_EQ(second.fired, 0);
}

TEST_F(AWheel, LetsATimerPostponeOneThatIsDueToo) {
    Alarm second;
    Alarm first([&] { wheel.arm(second, after(milliseconds{70})); });
    wheel.arm(first, after(milliseconds{5}));
    wheel.arm(second, after(milliseconds{6}));
    EXPECT_EQ(wheel.advance(after(milliseconds{50})), 1u);
    EXPECT_EQ(wheel.advance(after(milliseconds{71})), 1u);
    EXPECT_EQ(second.fired, 1);
}

TEST_F(AWheel, LetsATimerBeTheEndOfItself) {
    auto alarm = std::make_unique<Alarm>();
    alarm->action = [&] { alarm.reset(); };
    wheel.arm(*alarm, after(milliseconds{5}));
    EXPECT_EQ(wheel.advance(after(milliseconds{10})), 1u);
    EXPECT_EQ(alarm, nullptr);
}

TEST_F(AWheel, DoesNotGoBackInTime) {
    Alarm alarm;
    wheel.advance(after(milliseconds{100}));
    wheel.advance(kStart);
    wheel.arm(alarm, after(milliseconds{50}));
    EXPECT_EQ(wheel.advance(kStart), 1u) << "50 ms have passed, whatever the clock says now";
}

// The tick after it does not exist; found by fuzzing.
TEST_F(AWheel, TakesTheLastMomentOfTimeForNever) {
    Alarm alarm;
    wheel.arm(alarm, Instant::never() - nanoseconds{1});
    EXPECT_TRUE(wheel.next().is_never());
    EXPECT_EQ(wheel.advance(after(days{10'000})), 0u);
}

TEST_F(AWheel, TakesTheLastDeadlineThereIs) {
    Alarm alarm;
    wheel.arm(alarm, Instant::never() - std::chrono::milliseconds{1});
    EXPECT_GT(wheel.next(), after(days{10'000}));
    EXPECT_TRUE(alarm.is_armed());
    wheel.cancel(alarm);
}

TEST(TimerWheel, DisarmsWhatIsLeftWhenItGoes) {
    Alarm alarm;
    {
        TimerWheel wheel(Instant{seconds{1}});
        wheel.arm(alarm, Instant{seconds{2}});
    }
    EXPECT_FALSE(alarm.is_armed());
}

using AWheelDeathTest = AWheel;

TEST_F(AWheelDeathTest, AbortsWhenAnArmedTimerIsDestroyed) {
    EXPECT_DEATH(
        {
            Alarm alarm;
            wheel.arm(alarm, after(seconds{1}));
        },
        "a timer is cancelled before it is destroyed");
}

}  // namespace
}  // namespace berth::loop
