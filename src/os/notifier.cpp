// SPDX-License-Identifier: MIT
//
// Notifier: a semaphore, posted and drained.

#include "os/notifier.hpp"

#include <berth/clock.hpp>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace berth::os {

namespace {

constexpr Duration kLongestWait = std::chrono::hours{24 * 365};  // what a timespec surely holds

timespec deadline_in(Duration timeout) {
    const Duration at = std::chrono::steady_clock::now().time_since_epoch() +
                        (timeout < kLongestWait ? timeout : kLongestWait);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
    return {.tv_sec = seconds.count(), .tv_nsec = (at - seconds).count()};
}

}  // namespace

Notifier::Notifier() { sem_init(&semaphore_, 0, 0); }

Notifier::~Notifier() { sem_destroy(&semaphore_); }

// EOVERFLOW after 2^31 unheard notifications: it is raised all the same.
void Notifier::notify() const { sem_post(&semaphore_); }

bool Notifier::wait(Duration timeout) {
    const timespec deadline = deadline_in(timeout);
    int result = 0;
    do {
        result = sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &deadline);
    } while (result != 0 && errno == EINTR);
    if (result != 0) return false;
    while (sem_trywait(&semaphore_) == 0) {
    }
    return true;
}

}  // namespace berth::os
