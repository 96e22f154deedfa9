// SPDX-License-Identifier: MIT
//
// ListenerStops: listeners that end while their engine goes on.
//
// Each goes the way that a stop goes, for itself: quiesce, close, drain, force, verify; then
// on_listener_closed. A stop of the engine that comes meanwhile overtakes it.
//
// Lifetime:  part of its Coordinator.
// Threads:   ask() from any; the rest is the coordinator's.

#pragma once

#include "engine/quiescence.hpp"
#include "net/verification.hpp"

#include <berth/clock.hpp>
#include <berth/report.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace berth::engine {

class Core;

class ListenerStops {
public:
    explicit ListenerStops(Core& core) : core_(core) {}

    void reset();
    // One transition, if any can be made.
    bool step();
    Instant next_look() const;
    // Of a listener that has ended; null for others.
    const ListenerReport* report_of(std::size_t listener) const;
    // How one that the stop of the engine has overtaken was quiesced, as far as it went.
    void report_quiescence(std::size_t listener, ListenerReport& into) const;

private:
    enum class Stage : std::uint8_t { emptying, closing, draining, forcing, verifying, done };

    struct Stop {
        Stop(Core& core, std::size_t index) : listener(index), quiescence(core) {}
        std::size_t listener;
        Quiescence quiescence;
        Stage stage = Stage::emptying;
        Instant quiesce_end;
        Deadline deadline;
        std::optional<net::Verification> verification;
        Instant verify_again;
        ListenerReport report;
    };

    bool begin_asked();
    bool is_known(std::size_t listener) const;
    bool step(Stop& stop);
    bool close_when_empty(Stop& stop);
    bool drain_when_closed(Stop& stop);
    bool await_connections(Stop& stop);
    bool verify(Stop& stop);

    Core& core_;
    std::deque<Stop> stops_;
};

}  // namespace berth::engine
