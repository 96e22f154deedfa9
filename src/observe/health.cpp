// SPDX-License-Identifier: MIT
//
// Health: ready, live, and the words for it.

#include "observe/health.hpp"

#include <berth/engine_state.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace berth::observe {

namespace {

std::string milliseconds(Duration duration) {
    return std::to_string(std::chrono::round<std::chrono::milliseconds>(duration).count()) + " ms";
}

}  // namespace

Health readiness(const EngineSnapshot& engine) {
    std::string text(to_string(engine.state));
    if (engine.stop.is_requested) {
        text += ": asked by " + engine.stop.requested_by + ", " + milliseconds(engine.stop.left) +
                " left";
    }
    const bool is_served =
        engine.state == EngineState::ready || engine.state == EngineState::handing_over;
    return {.is_well = is_served && !engine.stop.is_requested, .text = text + '\n'};
}

void LoopWatch::look(const EngineSnapshot& engine) {
    seen_.resize(engine.loops.size());
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        const Instant iteration = engine.at - engine.loops[i].busy;
        if (seen_[i].iteration != iteration) seen_[i] = {iteration, engine.at};
    }
}

Health LoopWatch::liveness(const EngineSnapshot& engine) {
    look(engine);
    std::string text;
    for (const EngineSnapshot::Loop& loop : engine.loops) {
        if (!is_late(engine, loop)) continue;
        text += "loop " + std::to_string(loop.index) + " is in ";
        text.append(loop.callback).append(" for ").append(milliseconds(loop.busy)).append(1, '\n');
    }
    return {.is_well = text.empty(), .text = text.empty() ? "live\n" : text};
}

bool LoopWatch::is_late(const EngineSnapshot& engine, const EngineSnapshot::Loop& loop) const {
    const auto index = static_cast<std::size_t>(&loop - engine.loops.data());
    return loop.busy > busy_max_ && engine.at - seen_[index].first >= kSeenMin;
}

}  // namespace berth::observe
