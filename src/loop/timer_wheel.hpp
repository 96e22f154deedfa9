// SPDX-License-Identifier: MIT
//
// TimerWheel: deadlines in constant time, a millisecond apart.
//
// Time is counted in ticks of 1 ms. Eight levels of 64 slots read a tick as eight digits of six
// bits: a timer waits on the level of the highest digit in which its tick differs from the
// current one, and moves down when that digit is reached, at most seven times in its life. Eight
// digits cover every Instant, so that nothing is too far away and nothing wraps. Each level's
// bitmap finds the next slot in use without a look at the empty ones.
//
// A timer never fires early: its deadline is rounded up to a tick. Ticks fire in order, timers of
// one tick in the order of arming. What is armed while timers fire waits for the next advance, so
// that one that always re-arms for now cannot hold the loop.
//
// Lifetime:  owns no timer; those still armed when the wheel goes are disarmed.
// Threads:   one.

#pragma once

#include "base/assert.hpp"
#include "base/intrusive_list.hpp"

#include <berth/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace berth::loop {

// What has one deadline. Cancel it before it is destroyed. Who derives from it first shares its
// virtual table, and pays for three words.
class Timed : private base::ListNode {
public:
    Timed() = default;
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

    virtual ~Timed() { BERTH_ASSERT(!is_armed(), "a timer is cancelled before it is destroyed"); }

    bool is_armed() const { return is_linked(); }

private:
    friend class TimerWheel;
    friend class base::List<Timed>;

    // Called disarmed. It may arm and cancel this timer or any other, and be the end of them; it
    // must not throw and not advance the wheel.
    virtual void on_due() = 0;

    std::uint64_t tick_ = 0;
};

static_assert(sizeof(Timed) == 32, "every connection is one, and shares the virtual table");

// The same for who would rather be called by a function, and may have several.
class Timer : public Timed {
public:
    using Fire = void (*)(Timer&);

    explicit Timer(Fire fire) : fire_(fire) {}

private:
    void on_due() final { fire_(*this); }

    Fire fire_;
};

class TimerWheel {
public:
    explicit TimerWheel(Instant start);

    // Also moves a timer that is armed already. A deadline that has passed fires with the next
    // advance; Instant::never() disarms.
    void arm(Timed& timer, Instant deadline);
    void cancel(Timed& timer);

    // Fires what is due at `now` and says how many that were. Time does not go back: an earlier
    // `now` counts as the latest one.
    std::size_t advance(Instant now) {
        if (now_ < now) [[likely]]
            now_ = now;
        if (now_ < next_) [[likely]]
            return 0;
        return fire_due();
    }

    // Never later than the tick of the earliest deadline, so that a loop that waits for it is not
    // late; and advancing to it fires a timer or moves it to a lower level, so that the loop does
    // not spin. never() when nothing is armed; an instant that has passed when something is due.
    Instant next() const { return next_; }

private:
    using Tick = std::uint64_t;

    static constexpr unsigned kDigitBits = 6;
    static constexpr std::size_t kSlots = std::size_t{1} << kDigitBits;
    static constexpr std::size_t kLevels = 8;

    struct Level {
        std::uint64_t occupied = 0;  // one bit per slot that holds a timer
        std::array<base::List<Timed>, kSlots> slots;
    };
    struct Place {
        std::size_t level;
        std::size_t slot;
    };

    void put(Timed& timer);
    Place place_of(Tick tick) const;
    std::optional<Place> first_in_use() const;
    Tick start_of(Place place) const;
    void roll_to(Tick target);
    std::size_t fire_due();
    void look_ahead();

    Instant now_;
    Instant next_ =
        Instant::never();    // when the first slot in use begins; passed if due_ is in use
    Tick current_;           // of now_, or behind it while nothing lies between
    base::List<Timed> due_;  // passed deadlines, fired by the next advance
    std::array<Level, kLevels> levels_;
};

}  // namespace berth::loop
