// SPDX-License-Identifier: MIT
//
// Health: may clients be sent here, and does every loop still come round?
//
// Readiness is a fact of the state. Liveness is a judgement: a loop that was woken a moment ago
// still shows the time of its iteration before, so LoopWatch looks again and again, and calls a
// loop late only if it was seen in the same iteration before.
//
// Threads:   pure; a LoopWatch belongs to one thread.

#pragma once

#include <berth/clock.hpp>
#include <berth/snapshot.hpp>

#include <string>
#include <vector>

namespace berth::observe {

struct Health {
    bool is_well = true;
    std::string text;  // one line, with its end
};

// Well while the address is served: ready, or handed over to a generation that accepts.
Health readiness(const EngineSnapshot& engine);

class LoopWatch {
public:
    // How long a loop must have been seen in one iteration, whatever that says of itself.
    static constexpr Duration kSeenMin = std::chrono::milliseconds{500};

    explicit LoopWatch(Duration busy_max) : busy_max_(busy_max) {}

    // To be called now and then, more often than busy_max.
    void look(const EngineSnapshot& engine);
    Health liveness(const EngineSnapshot& engine);

private:
    struct Seen {
        Instant iteration;  // when it began
        Instant first;      // when it was seen first
    };
    bool is_late(const EngineSnapshot& engine, const EngineSnapshot::Loop& loop) const;

    Duration busy_max_;
    std::vector<Seen> seen_;
};

}  // namespace berth::observe
