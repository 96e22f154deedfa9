// SPDX-License-Identifier: MIT
//
// StopRecord: writes down how a stop goes, and adds up what it cost: the StopReport.
//
// Lifetime:  part of its Coordinator.
// Threads:   the coordinator's; report() is read by others after the state says stopped.

#pragma once

#include <berth/clock.hpp>
#include <berth/report.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::engine {

class Core;
class Worker;

class StopRecord {
public:
    explicit StopRecord(Core& core) : core_(core) {}

    // At the beginning of a run.
    void reset(std::size_t descriptors_open);
    // When the stop was requested.
    void begin(Instant now);
    void enter(std::string_view phase);
    void close_phase();
    // Connections by state, now. Kept thin enough: by when it wants the next one.
    Instant sample();
    void add(ListenerReport listener) { report_.listeners.push_back(std::move(listener)); }

    // After the loops have left, or were given up.
    void add_up();
    void add_stuck(Instant patience_ended);
    // The last words; nothing is added any more.
    void conclude(bool was_handed_over);

    // As far as it is known: with the listeners added, it is the last.
    StopOutcome outcome(bool was_handed_over) const;

    Instant began() const { return began_; }
    const StopReport& report() const { return report_; }

private:
    // Sums over the loops; the report has the difference to what was when the stop began.
    struct Totals {
        std::uint64_t opened = 0;
        std::uint64_t tasks_run = 0;
        std::uint64_t tasks_cancelled = 0;
        std::uint64_t timers_dropped = 0;
        std::uint64_t handler_exceptions = 0;
        std::uint64_t forced = 0;
        std::array<std::uint64_t, kCloseReasons> closed{};
        StopReport::Bytes bytes;
    };
    static constexpr Duration kSampleInterval = std::chrono::milliseconds{5};

    Totals totals() const;
    std::vector<std::size_t> forced_by_loop() const;
    void thin_samples();
    void add_forced(std::size_t loop);

    Core& core_;
    StopReport report_;
    Totals at_boot_;
    Totals before_;  // when the stop began
    std::vector<std::size_t> forced_at_boot_;
    std::vector<std::size_t> forced_before_;  // when the stop began
    Instant began_;
    Instant phase_began_;
    Instant next_sample_;
    Duration sample_interval_ = kSampleInterval;
};

}  // namespace berth::engine
