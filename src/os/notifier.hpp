// SPDX-License-Identifier: MIT
//
// Notifier: one thread waits, others tell it that something happened.
//
// An eventfd rather than a semaphore: whoever coordinates a stop also waits for descriptors, of
// the administrator and of the next generation, and ppoll(2) waits for both at once.
//
// Lifetime:  outlives everyone who may notify it. What open() opened stays until the destructor.
// Threads:   notify() from any, also from a signal handler; open() and wait() from one.
// Errors:    open() alone can fail: EMFILE, ENFILE, ENOMEM.
// See:       eventfd(2), ppoll(2), signal-safety(7).

#pragma once

#include "base/outcome.hpp"

#include <berth/clock.hpp>

#include <atomic>
#include <cstddef>
#include <span>

namespace berth::os {

class Notifier {
public:
    static constexpr std::size_t kWatchedMax = 15;

    Notifier() = default;
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;
    ~Notifier();

    // Any number of times. wait() does it, too: who calls it before learns why it cannot be.
    base::Outcome<void> open();

    // Before open(), it is remembered.
    void notify() const;

    // True when notified before or during the wait, or when one of the first kWatchedMax
    // descriptors of `watched` is readable or hung up; false after `timeout`. kNever: no timeout.
    // Notifications merge. Where open() fails it hears of `watched` alone.
    bool wait(Duration timeout, std::span<const int> watched = {});

private:
    static_assert(std::atomic<int>::is_always_lock_free, "notify() runs in signal handlers");
    std::atomic<int> eventfd_ = -1;
    mutable std::atomic<bool> is_remembered_ = false;
};

}  // namespace berth::os
