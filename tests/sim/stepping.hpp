// SPDX-License-Identifier: MIT
//
// run: one engine and time itself, in the order in which things become due, until something holds.

#pragma once

#include "sim/stepped_engine.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace berth::simulation {

class Silence final : public Logger {
public:
    void log(LogLevel, std::string_view) override {}
};

// The first who could go on: `engine.actors()` is nobody.
inline std::size_t ready_actor(const SteppedEngine& engine) {
    for (std::size_t actor = 0; actor < engine.actors(); ++actor) {
        if (engine.is_ready(actor)) return actor;
    }
    return engine.actors();
}

// Until `is_done`, or nobody has anything left to do before `end`.
template <class Done>
void run(sim::Kernel& kernel, SteppedEngine& engine, Done&& is_done,
         Instant end = Instant::never()) {
    while (!is_done()) {
        const std::size_t actor = ready_actor(engine);
        if (actor < engine.actors()) {
            engine.step(actor);
            continue;
        }
        const Instant next = std::min({engine.next(), kernel.next_event(), end});
        if (next.is_never() || kernel.now() >= end) return;
        kernel.advance(next);
    }
}

}  // namespace berth::simulation
