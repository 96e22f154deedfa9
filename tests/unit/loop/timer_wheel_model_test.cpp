// SPDX-License-Identifier: MIT
//
// TimerWheel against a model that keeps every timer in one list and searches it.
//
// Method: random arms, cancels and advances, from the outside and from timers that fire. Each
// timer that fires must be the one that the model expects next; next() must be neither late nor
// in the past. A failure names the seed and the step.

#include "loop/timer_wheel.hpp"

#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <tuple>

namespace berth::loop {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kTimers = 64;
constexpr int kSteps = 100'000;

class Model {
public:
    explicit Model(Instant start) : now_(start) {}

    void arm(std::size_t timer, Instant deadline) {
        const auto tick = deadline <= now_ ? floor(now_) : ceil(deadline);
        entries_[timer] = {.armed = true, .tick = tick, .order = ++armed_};
    }
    void cancel(std::size_t timer) { entries_[timer] = {}; }
    bool is_armed(std::size_t timer) const { return entries_[timer].armed; }

    void start_advance(Instant now) {
        now_ = now;
        for (Entry& entry : entries_) entry.due = entry.armed && entry.tick <= floor(now);
    }
    // The timer that fires next in this advance; kTimers when none does.
    std::size_t fire() {
        std::size_t first = kTimers;
        for (std::size_t timer = 0; timer < kTimers; ++timer) {
            if (!entries_[timer].due) continue;
            if (first == kTimers || entries_[timer].before(entries_[first])) first = timer;
        }
        if (first != kTimers) cancel(first);
        return first;
    }

    // The tick of the first timer to fire.
    Instant earliest() const {
        Instant earliest = Instant::never();
        for (const Entry& entry : entries_) {
            if (entry.armed) earliest = std::min(earliest, Instant{entry.tick});
        }
        return earliest;
    }
    Instant now() const { return now_; }

private:
    struct Entry {
        bool armed = false;
        bool due = false;  // fires in the advance that is under way
        milliseconds tick{};
        std::uint64_t order = 0;

        bool before(const Entry& other) const {
            return std::tie(tick, order) < std::tie(other.tick, other.order);
        }
    };

    static milliseconds floor(Instant at) {
        return std::chrono::floor<milliseconds>(at.since_epoch);
    }
    static milliseconds ceil(Instant at) { return std::chrono::ceil<milliseconds>(at.since_epoch); }

    Instant now_;
    std::uint64_t armed_ = 0;
    std::array<Entry, kTimers> entries_{};
};

class WheelAndModel : public testing::TestWithParam<unsigned> {
protected:
    struct Numbered : Timer {
        Numbered() : Timer([](Timer& timer) { static_cast<Numbered&>(timer).fired(); }) {}
        void fired() { test->on_fired(index); }
        WheelAndModel* test = nullptr;
        std::size_t index = 0;
    };

    void SetUp() override {
        for (std::size_t i = 0; i < kTimers; ++i) {
            timers[i].test = this;
            timers[i].index = i;
        }
    }
    void TearDown() override {
        for (Timer& timer : timers) wheel.cancel(timer);
    }

    void on_fired(std::size_t timer) {
        ASSERT_EQ(timer, model.fire());
        for (auto changes = random() % 3; changes != 0; --changes) change_one();
    }

    void change_one() {
        const std::size_t timer = random() % kTimers;
        if (random() % 4 == 0) {
            wheel.cancel(timers[timer]);
            model.cancel(timer);
        } else {
            const Instant deadline = model.now() + distance() - milliseconds{1};
            wheel.arm(timers[timer], deadline);
            model.arm(timer, deadline);
        }
    }

    void advance() {
        Instant to = model.now() + distance() / 64;
        if (random() % 2 == 0 && !wheel.next().is_never()) to = std::max(to, wheel.next());
        model.start_advance(to);
        wheel.advance(to);
        ASSERT_EQ(model.fire(), kTimers) << "the wheel fired too few";
    }

    // Every order of magnitude alike, up to a month.
    Duration distance() {
        const auto bits = random() % 52;
        return Duration{static_cast<std::int64_t>(random() >> (63 - bits))};
    }

    void expect_agreement() {
        const Instant earliest = model.earliest();
        ASSERT_LE(wheel.next(), std::max(earliest, model.now())) << "late";
        ASSERT_EQ(wheel.next() > model.now(), earliest > model.now()) << "spins";
        ASSERT_EQ(wheel.next().is_never(), earliest.is_never());
        for (const Numbered& timer : timers) {
            ASSERT_EQ(timer.is_armed(), model.is_armed(timer.index));
        }
    }

    std::mt19937_64 random{GetParam()};
    Instant start{milliseconds{random() % 100'000'000}};
    TimerWheel wheel{start};
    Model model{start};
    std::array<Numbered, kTimers> timers;
};

TEST_P(WheelAndModel, AgreeAtEveryStep) {
    for (int step = 0; step < kSteps; ++step) {
        SCOPED_TRACE(testing::Message() << "seed " << GetParam() << ", step " << step);
        if (random() % 4 == 0) {
            advance();
        } else {
            change_one();
        }
        expect_agreement();
        if (HasFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, WheelAndModel, testing::Values(1U, 2U, 3U));

}  // namespace
}  // namespace berth::loop
