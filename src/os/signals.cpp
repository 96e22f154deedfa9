// SPDX-License-Identifier: MIT
//
// SignalWatch: one handler, a few atomics.

#include "os/signals.hpp"

#include "base/assert.hpp"
#include "base/outcome.hpp"
#include "os/calls.hpp"
#include "os/notifier.hpp"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX, not C++

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <thread>

namespace berth::os {

namespace {

constexpr std::size_t kSignalNumbers = 65;  // 1 to 64, signal(7)

// A handler reaches nothing but statics, and may only touch what is lock-free.
struct Watched {
    std::atomic<bool> is_taken = false;
    std::atomic<const Notifier*> notifier = nullptr;
    std::atomic<unsigned> handlers_running = 0;
    std::array<std::atomic<unsigned>, kSignalNumbers> counts{};
};
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<const Notifier*>::is_always_lock_free &&
              std::atomic<unsigned>::is_always_lock_free);

Watched watched;

}  // namespace

extern "C" {
static void berth_on_signal(int signal) {
    ++watched.handlers_running;
    ++watched.counts[static_cast<std::size_t>(signal)];
    if (const Notifier* notifier = watched.notifier) notifier->notify();
    --watched.handlers_running;
}
}

base::Outcome<std::unique_ptr<SignalWatch>> SignalWatch::start(std::span<const int> signals,
                                                               const Notifier& notifier) {
    if (watched.is_taken.exchange(true)) return base::failed(EBUSY);
    for (auto& count : watched.counts) count = 0;
    watched.notifier = &notifier;

    std::unique_ptr<SignalWatch> watch{new SignalWatch};
    watch->replaced_.reserve(signals.size());
    SignalAction action{};
    action.sa_handler = berth_on_signal;
    action.sa_flags = SA_RESTART;
    for (const int signal : signals) {
        const auto previous = set_signal_action(signal, action);
        if (!previous) return base::failed(previous.errno_value());
        watch->replaced_.push_back({.signal = signal, .previous = *previous});
    }
    return watch;
}

SignalWatch::~SignalWatch() {
    for (const auto& [signal, previous] : replaced_) {
        static_cast<void>(set_signal_action(signal, previous));
    }
    // A handler may still be on its way on another thread. One that starts from here on finds no
    // notifier; the others are a few instructions from their end.
    watched.notifier = nullptr;
    while (watched.handlers_running != 0) std::this_thread::yield();
    watched.is_taken = false;
}

unsigned SignalWatch::count(int signal) const {
    const auto index = static_cast<std::size_t>(signal);
    BERTH_ASSERT(index < kSignalNumbers, "signals have numbers from 1 to 64");
    return watched.counts[index];
}

}  // namespace berth::os
