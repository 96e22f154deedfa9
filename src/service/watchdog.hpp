// SPDX-License-Identifier: MIT
//
// Watchdog: when to tell the service manager that the server is alive, and when not to.
//
// It is fed at half its interval, and only while every loop comes round: a loop that a handler has
// blocked for as long stops the feeding, and the manager does what the unit says. Between two
// attempts that failed it looks more often, so that a loop that comes back is not killed for it.
//
// Lifetime:  a value.
// Threads:   one.
// See:       sd_watchdog_enabled(3), WatchdogSec= in systemd.service(5).

#pragma once

#include "service/variables.hpp"

#include <berth/clock.hpp>
#include <berth/snapshot.hpp>

#include <optional>

namespace berth::service {

class Watchdog {
public:
    // None: the service manager watches nobody, or somebody else.
    static std::optional<Watchdog> of(const Variables& variables);
    explicit Watchdog(Duration interval) : interval_(interval) {}

    bool is_due(Instant now) const { return now >= next_; }
    // Call it when it is due. Should it be fed?
    bool feeds(const EngineSnapshot& snapshot, Instant now);
    Instant next() const { return next_; }
    Duration interval() const { return interval_; }

private:
    Duration interval_;
    Instant next_{};
};

}  // namespace berth::service
