// SPDX-License-Identifier: MIT
//
// TimerWheel: where a timer waits, and how time rolls over the slots in use.
//
// Above its level a timer's tick has the same digits as the current tick, and on it a greater
// one. So every slot in use lies ahead of the current digit of its level, all slots of a level
// come before those of the next, and the first bit of the first bitmap is what happens next.

#include "loop/timer_wheel.hpp"

#include "base/assert.hpp"
#include "base/intrusive_list.hpp"

#include <berth/clock.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace berth::loop {

namespace {

using std::chrono::milliseconds;

std::uint64_t tick_rounded_down(Instant at) {
    return static_cast<std::uint64_t>(std::chrono::floor<milliseconds>(at.since_epoch).count());
}

std::uint64_t tick_rounded_up(Instant at) {
    return static_cast<std::uint64_t>(std::chrono::ceil<milliseconds>(at.since_epoch).count());
}

// Later is as good as never: time ends before the next tick.
constexpr Instant kLastTick{std::chrono::floor<milliseconds>(Duration::max())};

constexpr std::uint64_t bit_of(std::size_t slot) { return std::uint64_t{1} << slot; }

}  // namespace

TimerWheel::TimerWheel(Instant start) : now_(start), current_(tick_rounded_down(start)) {
    BERTH_ASSERT(start.since_epoch >= Duration{0}, "a wheel's time is not negative");
}

void TimerWheel::arm(Timed& timer, Instant deadline) {
    cancel(timer);
    if (deadline > kLastTick) return;
    current_ = tick_rounded_down(now_);  // no slot in use begins before next_, which is ahead
    timer.tick_ = deadline <= now_ ? current_ : tick_rounded_up(deadline);
    put(timer);
    look_ahead();
}

void TimerWheel::cancel(Timed& timer) {
    if (!timer.is_armed()) return;
    timer.unlink();
    if (timer.tick_ <= current_) return look_ahead();  // it was due, and in no slot
    const Place place = place_of(timer.tick_);
    Level& level = levels_[place.level];
    if (!level.slots[place.slot].empty()) return;
    level.occupied &= ~bit_of(place.slot);
    look_ahead();
}

std::size_t TimerWheel::fire_due() {
    roll_to(tick_rounded_down(now_));

    base::List<Timed> firing;  // apart from due_, which takes what is armed meanwhile
    firing.splice_back(due_);
    look_ahead();
    std::size_t fired = 0;
    while (Timed* timer = firing.pop_front()) {
        ++fired;
        timer->on_due();  // may be the end of *timer
    }
    return fired;
}

void TimerWheel::look_ahead() {
    const auto place = first_in_use();
    next_ = place ? Instant{milliseconds(start_of(*place))} : Instant::never();
    if (!due_.empty()) next_ = now_;
}

void TimerWheel::put(Timed& timer) {
    if (timer.tick_ <= current_) return due_.push_back(timer);
    const Place place = place_of(timer.tick_);
    Level& level = levels_[place.level];
    level.slots[place.slot].push_back(timer);
    level.occupied |= bit_of(place.slot);
}

// Of a tick ahead: the highest digit that differs from the current tick's.
TimerWheel::Place TimerWheel::place_of(Tick tick) const {
    const auto highest_bit = static_cast<std::size_t>(std::bit_width(tick ^ current_)) - 1;
    const std::size_t level = highest_bit / kDigitBits;
    return {level, (tick >> level * kDigitBits) % kSlots};
}

std::optional<TimerWheel::Place> TimerWheel::first_in_use() const {
    const auto level = std::ranges::find_if(levels_, &Level::occupied);
    if (level == levels_.end()) return std::nullopt;
    return Place{static_cast<std::size_t>(level - levels_.begin()),
                 static_cast<std::size_t>(std::countr_zero(level->occupied))};
}

// The first tick of a slot in use: the current digits above it, its own, and zeros.
TimerWheel::Tick TimerWheel::start_of(Place place) const {
    const std::size_t low_bits = place.level * kDigitBits;
    const std::size_t high_bits = low_bits + kDigitBits;
    return (current_ >> high_bits << high_bits) | Tick{place.slot} << low_bits;
}

// Steps from slot in use to slot in use; the time between holds nothing and costs nothing.
void TimerWheel::roll_to(Tick target) {
    while (const auto place = first_in_use()) {
        const Tick start = start_of(*place);
        if (start > target) break;
        current_ = start;
        Level& level = levels_[place->level];
        level.occupied &= ~bit_of(place->slot);
        base::List<Timed> reached;
        reached.splice_back(level.slots[place->slot]);
        while (Timed* timer = reached.pop_front()) put(*timer);
    }
    current_ = target;
}

}  // namespace berth::loop
