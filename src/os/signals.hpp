// SPDX-License-Identifier: MIT
//
// SignalWatch: counts the signals it is given, and notifies whoever waits for them.
//
// What the signals mean is decided by the waiter; the handler only counts. The actions that were
// there before come back with the destructor.
//
// Lifetime:  the notifier outlives the watch and stays in place. One watch per process at a time.
// Threads:   count() from any thread; signals may arrive on every thread.
// Errors:    EBUSY when there is a watch already, EINVAL for a signal that cannot be watched.
// See:       sigaction(2), signal-safety(7).

#pragma once

#include "base/outcome.hpp"
#include "os/calls.hpp"
#include "os/notifier.hpp"

#include <memory>
#include <span>
#include <vector>

namespace berth::os {

class SignalWatch {
public:
    static base::Outcome<std::unique_ptr<SignalWatch>> start(std::span<const int> signals,
                                                             const Notifier& notifier);
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;
    ~SignalWatch();

    // How often `signal` has come since the start.
    unsigned count(int signal) const;

private:
    struct Replaced {
        int signal;
        SignalAction previous;
    };

    SignalWatch() = default;

    std::vector<Replaced> replaced_;
};

}  // namespace berth::os
