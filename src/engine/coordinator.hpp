// SPDX-License-Identifier: MIT
//
// Coordinator: the one who moves an engine's state, and ends it, phase by phase.
//
// advance() does whatever can be done now and never waits; it says by when it wants to be called
// again at the latest, and Core::progress says when earlier. One thread calls it: the runner's,
// or a simulation's. The phases and what each guarantees: docs/internals/stop.md.
//
// Lifetime:  part of its Core.
// Threads:   one; report() is read by others after the state says stopped.

#pragma once

#include "engine/lifecycle.hpp"
#include "engine/listener_stop.hpp"
#include "engine/quiescence.hpp"
#include "engine/stop_record.hpp"
#include "net/verification.hpp"

#include <berth/clock.hpp>
#include <berth/report.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace berth::engine {

class Core;

class Coordinator {
public:
    // How long a loop may take to obey before it is called stuck.
    static constexpr Duration kGrace = std::chrono::seconds{1};

    explicit Coordinator(Core& core)
        : core_(core), record_(core), quiescence_(core), listener_stops_(core) {}

    // At the beginning of a run.
    void reset(std::size_t descriptors_open);
    // Returns the instant by which it wants to be called again; the past once nothing is left.
    Instant advance();
    bool is_done() const { return done_; }
    // Descriptors that mean something to it when they are readable.
    // What wakes it, besides Core::progress, as soon as it can be read.
    std::span<const int> watched();

    // After the workers are gone: tries the addresses, completes the report, calls on_shutdown.
    // Returns when it wants to be called again; nothing: the run has ended.
    std::optional<Instant> finish();
    const StopReport& report() const { return record_.report(); }

private:
    enum class Quiescing : std::uint8_t { emptying, closing };
    struct Verified {
        std::size_t listener;
        net::Verification verification;
    };

    bool step();
    bool begin_stop();
    bool add_listeners();
    bool suspend();
    bool resume();
    bool wait_as_lame_duck();
    void begin_quiescing();
    bool quiesce();
    bool begin_draining();
    bool drain();
    bool begin_forcing();
    bool force();
    bool begin_reclaiming(LifecycleEvent event);
    bool reclaim();
    std::optional<Instant> verify();
    ListenerReport report_of(std::size_t listener) const;

    bool listeners_are_closed() const;
    bool listeners_are_quiet() const;
    bool expired(Deadline deadline) const;
    Instant lame_duck_end() const;
    Instant stalled_end() const;
    Instant stalled_look() const;
    void look_for_stalled();
    Instant next_look();
    template <class Fact>
    bool all_workers(Fact&& fact) const;
    template <class Call>
    void tell_workers(Call&& call) const;

    Core& core_;
    StopRecord record_;
    Quiescence quiescence_;
    ListenerStops listener_stops_;
    std::vector<Verified> verifications_;
    Quiescing quiescing_ = Quiescing::emptying;
    Instant quiesce_end_;
    Instant closing_end_;
    Instant forced_at_;
    Instant leaving_since_;
    bool was_handed_over_ = false;
    std::optional<Instant> stalled_look_;  // the next, once there was one
    bool suspends_ = false;                // told the acceptors, and they have not all stopped
    bool done_ = false;
};

}  // namespace berth::engine
