// SPDX-License-Identifier: MIT
//
// SignalWatch: one handler, a few atomics.

#include "os/signals.hpp"

#include "base/assert.hpp"
#include "base/outcome.hpp"
#include "os/calls.hpp"
#include "os/notifier.hpp"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX, not C++

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <thread>

namespace berth::os {

namespace {

// A handler reaches nothing but statics, and may only touch what is lock-free.
struct Watched {
    std::atomic<bool> is_taken = false;
    std::atomic<const Notifier*> notifier = nullptr;
    std::atomic<unsigned> handlers_running = 0;
    std::array<std::atomic<unsigned>, SignalWatch::kSignals.size()> counts{};
};
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<const Notifier*>::is_always_lock_free &&
              std::atomic<unsigned>::is_always_lock_free);

Watched watched;

std::size_t index_of(int signal) {
    const auto* found = std::ranges::find(SignalWatch::kSignals, signal);
    return static_cast<std::size_t>(found - SignalWatch::kSignals.begin());
}

}  // namespace

extern "C" {
static void berth_on_signal(int signal) {
    ++watched.handlers_running;
    ++watched.counts[index_of(signal)];
    if (const Notifier* notifier = watched.notifier) notifier->notify();
    --watched.handlers_running;
}
}

base::Outcome<std::unique_ptr<SignalWatch>> SignalWatch::start(const Notifier& notifier) {
    if (watched.is_taken.exchange(true)) return base::failed(EBUSY);
    for (auto& count : watched.counts) count = 0;
    watched.notifier = &notifier;

    std::unique_ptr<SignalWatch> watch{new SignalWatch};
    SignalAction action{};
    action.sa_handler = berth_on_signal;
    action.sa_flags = SA_RESTART;
    for (const int signal : kSignals) {
        const auto previous = set_signal_action(signal, action);
        if (!previous) return base::failed(previous.errno_value());
        watch->previous_[watch->replaced_++] = *previous;
    }
    return watch;
}

SignalWatch::~SignalWatch() {
    for (std::size_t i = 0; i < replaced_; ++i) {
        static_cast<void>(set_signal_action(kSignals[i], previous_[i]));
    }
    // A handler may still be on its way on another thread. One that starts from here on finds no
    // notifier; the others are a few instructions from their end.
    watched.notifier = nullptr;
    while (watched.handlers_running != 0) std::this_thread::yield();
    watched.is_taken = false;
}

unsigned SignalWatch::count(int signal) const {
    const std::size_t index = index_of(signal);
    BERTH_ASSERT(index < kSignals.size(), "only the signals of kSignals are counted");
    return watched.counts[index];
}

}  // namespace berth::os
