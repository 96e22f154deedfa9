// SPDX-License-Identifier: MIT
//
// status: words for states, numbers from the snapshot.

#include "service/status.hpp"

#include "engine/lifecycle.hpp"

#include <berth/clock.hpp>
#include <berth/engine_state.hpp>
#include <berth/snapshot.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace berth::service {

namespace {

constexpr std::size_t kAddressesShown = 4;

std::string addresses_of(const EngineSnapshot& snapshot) {
    std::string list;
    std::size_t shown = 0;
    for (const auto& listener : snapshot.listeners) {
        if (!listener.is_open) continue;
        if (shown++ == kAddressesShown) return list + ", and more";
        list += (list.empty() ? "" : ", ") + listener.endpoint.to_string();
    }
    return list.empty() ? "nothing" : list;
}

std::uint64_t connections_of(const EngineSnapshot& snapshot) {
    const auto& [connecting, open, draining, lingering] = snapshot.connections;
    return connecting + open + draining + lingering;
}

std::string seconds(Duration duration) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return std::to_string(std::max(whole, decltype(whole){0})) + " s";
}

std::string stop_status(const EngineSnapshot& snapshot) {
    return "stopping (" + std::string(to_string(snapshot.state)) + "), asked by " +
           snapshot.stop.requested_by + ": " + std::to_string(connections_of(snapshot)) +
           " connections left, " + seconds(snapshot.stop.left) + " to the deadline";
}

}  // namespace

std::string status_of(const EngineSnapshot& snapshot) {
    if (engine::is_stopping(snapshot.state)) return stop_status(snapshot);
    switch (snapshot.state) {
        case EngineState::ready: return "listening on " + addresses_of(snapshot);
        case EngineState::suspended: return "suspended: who connects waits";
        case EngineState::handing_over: return "handing over: the next generation accepts";
        default: return std::string(to_string(snapshot.state));
    }
}

bool loops_are_alive(const EngineSnapshot& snapshot, Duration patience) {
    return std::ranges::all_of(snapshot.loops,
                               [&](const auto& loop) { return loop.busy < patience; });
}

}  // namespace berth::service
