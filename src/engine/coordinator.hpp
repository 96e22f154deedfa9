// SPDX-License-Identifier: MIT
//
// Coordinator: the one who ends an engine, step by step, and writes down how it went.
//
// advance() does whatever can be done now and never waits; it says by when it wants to be called
// again at the latest, and Core::progress says when earlier. One thread calls it: the runner's,
// or a simulation's. The phases and what each guarantees: docs/internals/stop.md.
//
// Lifetime:  part of its Core.
// Threads:   one; report() is read by others after the state says stopped.

#pragma once

#include "engine/lifecycle.hpp"
#include "net/loop_counters.hpp"

#include <berth/clock.hpp>
#include <berth/report.hpp>

#include <cstddef>
#include <string_view>

namespace berth::engine {

class Core;

class Coordinator {
public:
    // How long a loop may take to obey before it is called stuck.
    static constexpr Duration kGrace = std::chrono::seconds{1};

    explicit Coordinator(Core& core) : core_(core) {}

    // At the beginning of a run.
    void reset(std::size_t descriptors_open);
    // Returns the instant by which it wants to be called again; the past once nothing is left.
    Instant advance();
    bool is_done() const { return done_; }

    // After the workers are gone: tries the addresses, completes the report, calls on_shutdown.
    void finish();
    const StopReport& report() const { return report_; }

private:
    // Sums over the loops; the report has the difference to what was when the stop began.
    struct Totals {
        std::uint64_t opened = 0;
        std::uint64_t tasks_run = 0;
        std::uint64_t tasks_cancelled = 0;
        std::uint64_t handler_exceptions = 0;
        std::uint64_t forced = 0;
        std::array<std::uint64_t, kCloseReasons> closed{};
        StopReport::Bytes bytes;
    };

    bool step();
    bool begin_stop();
    bool quiesce();
    bool drain();
    bool force();
    bool reclaim();
    void enter(std::string_view phase);
    void close_phase();
    bool expired(Deadline deadline) const;
    Instant next_look() const;
    template <class Fact>
    bool all_workers(Fact&& fact) const;
    Totals totals() const;
    void record_stuck();
    void count();
    void verify();
    void conclude();

    Core& core_;
    StopReport report_;
    Totals at_boot_;
    Totals before_;  // when the stop began
    Instant began_;
    Instant phase_began_;
    Instant forced_at_;
    Instant leaving_since_;
    bool done_ = false;
};

}  // namespace berth::engine
