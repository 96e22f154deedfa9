// SPDX-License-Identifier: MIT
//
// Notifier: one thread waits, others tell it that something happened.
//
// A semaphore rather than an eventfd: it needs no descriptor, so that an engine that does not run
// holds none, and nothing can fail.
//
// Lifetime:  outlives everyone who may notify it.
// Threads:   notify() from any, also from a signal handler; wait() from one.
// See:       sem_post(3), signal-safety(7).

#pragma once

#include <berth/clock.hpp>

#include <semaphore.h>

namespace berth::os {

class Notifier {
public:
    Notifier();
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;
    ~Notifier();

    void notify() const;
    // True when notified before or during the wait; false after `timeout`. kNever: no timeout.
    // Notifications merge.
    bool wait(Duration timeout);

private:
    mutable sem_t semaphore_;
};

}  // namespace berth::os
