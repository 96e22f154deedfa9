// SPDX-License-Identifier: MIT
//
// TimerWheel against a sorted set: what is due fires, in order, not early; next() is neither late
// nor a reason to spin.
//
// Input: the start, then actions, each a digit with what belongs to it:
//
//     0 timer deadline   arm timer 0 to 15
//     1 timer            cancel it
//     2 distance         advance by that
//     3                  advance to next()
//     4 timer deadline   arm it when the next timer fires, from inside
//     5 timer            cancel it when the next timer fires, from inside
//
// A deadline is a distance from now; a distance is a magnitude in milliseconds and a digit: 0 for
// exactly that, 1 and 2 for a nanosecond more and less, 3 for the last instant of time instead.

#include "choices.hpp"
#include "fuzz.hpp"
#include "loop/timer_wheel.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

namespace berth::fuzz {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kTimers = 16;
constexpr std::size_t kDistanceBits = 43;  // of milliseconds: 279 years, near the end of time
constexpr std::size_t kMovesMax = 7;       // down the levels, in a timer's life

// What comes later is as good as never: time ends before the next tick.
constexpr Instant kLastTick{std::chrono::floor<milliseconds>(Duration::max())};

milliseconds tick_before(Instant at) { return std::chrono::floor<milliseconds>(at.since_epoch); }
milliseconds tick_after(Instant at) { return std::chrono::ceil<milliseconds>(at.since_epoch); }

Duration distance(Choices& choices) {
    const milliseconds ticks(choices.magnitude(kDistanceBits));
    switch (choices.below(4)) {
        case 0: return ticks;
        case 1: return ticks + Duration{1};
        case 2: return ticks - Duration{1};
        default: return Duration::max() - Duration{1};
    }
}

// What is armed, in the order in which it fires.
class Model {
public:
    explicit Model(Instant start) : now_(start) {}

    void arm(std::size_t timer, Instant deadline) {
        cancel(timer);
        if (deadline > kLastTick) return;
        const auto tick = deadline <= now_ ? tick_before(now_) : tick_after(deadline);
        armed_.insert({.tick = tick, .order = ++arms_, .timer = timer});
    }
    void cancel(std::size_t timer) {
        std::erase_if(armed_, [=](const Entry& entry) { return entry.timer == timer; });
    }
    bool is_armed(std::size_t timer) const {
        return std::ranges::find(armed_, timer, &Entry::timer) != armed_.end();
    }

    void start_advance(Instant to) {
        now_ = std::max(now_, to);
        arms_before_ = arms_;
    }
    // The timer that fires next in this advance. What is armed meanwhile waits for another.
    std::optional<std::size_t> fire() {
        const auto first = std::ranges::find_if(armed_, [&](const Entry& entry) {
            return entry.tick <= tick_before(now_) && entry.order <= arms_before_;
        });
        if (first == armed_.end()) return std::nullopt;
        return armed_.extract(first).value().timer;
    }

    Instant now() const { return now_; }
    bool empty() const { return armed_.empty(); }
    // Of the first to fire; there must be one.
    milliseconds earliest() const { return armed_.begin()->tick; }

private:
    struct Entry {
        milliseconds tick;
        std::uint64_t order;
        std::size_t timer;

        friend auto operator<=>(const Entry&, const Entry&) = default;
    };

    Instant now_;
    std::uint64_t arms_ = 0;
    std::uint64_t arms_before_ = 0;
    std::set<Entry> armed_;
};

class WheelAndModel {
public:
    explicit WheelAndModel(Instant start) : wheel_(start), model_(start) {
        for (std::size_t number = 0; number < kTimers; ++number) {
            timers_[number].owner = this;
            timers_[number].number = number;
        }
    }
    WheelAndModel(const WheelAndModel&) = delete;
    WheelAndModel& operator=(const WheelAndModel&) = delete;
    ~WheelAndModel() {
        for (Timer& timer : timers_) wheel_.cancel(timer);
    }

    void act(Choices& choices) {
        switch (choices.below(6)) {
            case 0: return do_now(read_arming(choices));
            case 1: return do_now(read_cancelling(choices));
            case 2: return advance(model_.now() + distance(choices));
            case 3: return advance_to_next();
            case 4: return do_later(read_arming(choices));
            default: return do_later(read_cancelling(choices));
        }
    }

    void expect_agreement() const {
        for (const Timer& timer : timers_) {
            expect(timer.is_armed() == model_.is_armed(timer.number), "armed is what was armed");
        }
        const Instant next = wheel_.next();
        expect(next.is_never() == model_.empty(), "without a timer it is never");
        if (model_.empty()) return;
        const milliseconds earliest = std::max(model_.earliest(), tick_before(model_.now()));
        expect(tick_before(next) <= earliest, "next() is not late");
        expect((next <= model_.now()) == (earliest <= tick_before(model_.now())),
               "next() has passed when something is due, and only then");
    }

private:
    struct Timer : loop::Timer {
        Timer() : loop::Timer([](loop::Timer& timer) { static_cast<Timer&>(timer).fired(); }) {}
        void fired() const { owner->on_fired(number); }

        WheelAndModel* owner = nullptr;
        std::size_t number = 0;
    };
    struct Change {
        std::size_t timer;
        std::optional<Duration> deadline;  // from now; none cancels
    };

    static Change read_arming(Choices& choices) {
        const std::size_t timer = choices.below(kTimers);
        return {.timer = timer, .deadline = distance(choices)};
    }
    static Change read_cancelling(Choices& choices) {
        return {.timer = choices.below(kTimers), .deadline = std::nullopt};
    }

    void do_now(const Change& change) {
        if (change.deadline) {
            wheel_.arm(timers_[change.timer], model_.now() + *change.deadline);
            model_.arm(change.timer, model_.now() + *change.deadline);
        } else {
            wheel_.cancel(timers_[change.timer]);
            model_.cancel(change.timer);
        }
    }
    void do_later(const Change& change) { when_one_fires_ = change; }

    void advance(Instant to) {
        if (to.is_never()) return;
        model_.start_advance(to);
        const std::size_t before = fired_;
        expect(wheel_.advance(to) == fired_ - before, "advance() says how many fired");
        expect(!model_.fire(), "what is due fires");
    }

    // Time goes from next() to next(), as in a loop, until a timer fires.
    void advance_to_next() {
        if (model_.empty()) return;
        const std::size_t before = fired_;
        const std::size_t patience = kMovesMax * kTimers + 1;
        for (std::size_t wait = 0; wait < patience && fired_ == before; ++wait) {
            advance(wheel_.next());
        }
        expect(fired_ > before, "waiting for next() comes to a timer, without many steps");
    }

    void on_fired(std::size_t timer) {
        expect(model_.fire() == timer, "timers fire in order, and none early");
        ++fired_;
        if (const auto change = std::exchange(when_one_fires_, std::nullopt)) do_now(*change);
    }

    loop::TimerWheel wheel_;
    Model model_;
    std::array<Timer, kTimers> timers_;
    std::optional<Change> when_one_fires_;
    std::size_t fired_ = 0;
};

}  // namespace

void try_input(Bytes input) {
    Choices choices(input);
    const Instant start{std::max(distance(choices), Duration{0})};
    if (start.is_never()) return;
    WheelAndModel both(start);
    while (choices.left()) {
        both.act(choices);
        both.expect_agreement();
    }
}

}  // namespace berth::fuzz
