// SPDX-License-Identifier: MIT
//
// SignalWatch: counts SIGTERM and SIGINT, and notifies whoever waits for them.
//
// What the signals mean is decided by the waiter; the handler only counts. The actions that were
// there before come back with the destructor.
//
// Lifetime:  the notifier outlives the watch and stays in place. One watch per process at a time.
// Threads:   count() from any thread; signals may arrive on every thread.
// Errors:    EBUSY when there is a watch already.
// See:       sigaction(2), signal-safety(7).

#pragma once

#include "base/outcome.hpp"
#include "os/calls.hpp"
#include "os/notifier.hpp"

#include <array>
#include <csignal>
#include <cstddef>
#include <memory>

namespace berth::os {

class SignalWatch {
public:
    static constexpr std::array kSignals{SIGTERM, SIGINT};

    static base::Outcome<std::unique_ptr<SignalWatch>> start(const Notifier& notifier);
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;
    ~SignalWatch();

    // How often `signal`, one of kSignals, has come since the start.
    unsigned count(int signal) const;

private:
    SignalWatch() = default;

    std::array<SignalAction, kSignals.size()> previous_{};
    std::size_t replaced_ = 0;  // the first so many of kSignals are ours
};

}  // namespace berth::os
