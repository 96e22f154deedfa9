// SPDX-License-Identifier: MIT
//
// Agenda: what is going to happen in a simulated kernel, in the order of time.
//
// What falls on the same instant happens in the order in which it was entered, so that a seed
// repeats exactly. What takes no time at all waits in a plain queue of its own: on a calm day
// that is nearly everything.
//
// Lifetime:  outlives its timers.
// Threads:   one.

#pragma once

#include <berth/clock.hpp>
#include <berth/function.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <utility>

namespace berth::driver::sim {

class Agenda {
public:
    using Deed = UniqueFunction<void()>;
    using Entry = std::pair<Instant, std::uint64_t>;

    void enter_now(Deed deed) { now_.push_back(std::move(deed)); }
    Entry enter(Instant when, Deed deed);
    void strike(const Entry& entry) { later_.erase(entry); }

    // When the first of the later ones is due; never() without any.
    Instant next() const { return later_.empty() ? Instant::never() : later_.begin()->first.first; }
    void do_next();
    // Does what takes no time, and what that causes in turn.
    void do_now();

private:
    std::deque<Deed> now_;
    std::map<Entry, Deed> later_;
    std::uint64_t entered_ = 0;
};

// One appointment at a time, which its end cancels.
class Timer {
public:
    explicit Timer(Agenda& agenda) : agenda_(agenda) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { stop(); }

    bool is_running() const { return is_running_; }
    Instant due() const { return entry_.first; }  // while it runs
    void start(Instant when, Agenda::Deed deed);
    void stop();

private:
    Agenda& agenda_;
    Agenda::Entry entry_;
    bool is_running_ = false;
};

}  // namespace berth::driver::sim
