// SPDX-License-Identifier: MIT
//
// Statistics: what an engine counts that no loop does: its stops, and starts that failed.
//
// Lifetime:  that of its Core; over all runs.
// Threads:   one writes at a time: who starts the engine, then its coordinator. Any reads.

#pragma once

#include "base/counter.hpp"
#include "base/duration_counter.hpp"

#include <berth/clock.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>
#include <berth/snapshot.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace berth::engine {

class Statistics {
public:
    void start_failed(const Error& error);
    void ready(Instant now) { ready_since_.store(now.since_epoch.count()); }
    void stopping(Instant now) { stop_began_.store(now.since_epoch.count()); }
    void stopped(const StopReport& report);

    // Fills in its part of `snapshot`, whose state and time are known.
    void write_to(EngineSnapshot& snapshot) const;

private:
    Duration elapsed(const EngineSnapshot& snapshot) const;

    std::atomic<std::int64_t> ready_since_{0};
    std::atomic<std::int64_t> stop_began_{0};
    std::atomic<std::int64_t> stop_took_{0};  // the last one that is over
    std::array<base::Counter, kPortCauses> bind_failures_;
    std::array<base::Counter, kStopOutcomes> stops_;
    std::array<base::DurationCounter, EngineSnapshot::kStopPhases.size()> phases_;
    base::DurationCounter rebind_;
};

}  // namespace berth::engine
