// SPDX-License-Identifier: MIT
//
// Statistics: sorting reports and errors into counters.

#include "engine/statistics.hpp"

#include "engine/lifecycle.hpp"

#include <berth/port.hpp>

#include <algorithm>
#include <cstddef>

namespace berth::engine {

namespace {

static_assert(kStopOutcomes == static_cast<std::size_t>(StopOutcome::handed_over) + 1);
static_assert(kPortCauses == static_cast<std::size_t>(PortCause::unknown) + 1);

// Was an address tried, and each of them found free?
bool is_released(const StopReport& report) {
    return !report.listeners.empty() &&
           std::ranges::all_of(report.listeners,
                               [](const ListenerReport& listener) { return listener.released; });
}

}  // namespace

void Statistics::start_failed(const Error& error) {
    if (error.code() != ErrorCode::address_in_use) return;
    const PortCause cause = error.port() != nullptr ? error.port()->cause : PortCause::unknown;
    bind_failures_[static_cast<std::size_t>(cause)].add();
}

void Statistics::stopped(const StopReport& report) {
    stop_took_.store(report.duration.count());
    stops_[static_cast<std::size_t>(report.outcome)].add();
    const auto& names = EngineSnapshot::kStopPhases;
    for (const StopReport::Phase& phase : report.phases) {
        const auto name = std::ranges::find(names, phase.name);
        if (name == names.end()) continue;
        phases_[static_cast<std::size_t>(name - names.begin())].add(phase.duration);
        if (phase.name == "verify" && is_released(report)) rebind_.add(phase.duration);
    }
}

void Statistics::write_to(EngineSnapshot& snapshot) const {
    if (snapshot.state >= EngineState::ready && is_running(snapshot.state)) {
        snapshot.uptime = snapshot.at - Instant{Duration(ready_since_.load())};
    }
    snapshot.stop.elapsed = elapsed(snapshot);
    for (std::size_t i = 0; i < stops_.size(); ++i) snapshot.stops[i] = stops_[i].value();
    for (std::size_t i = 0; i < bind_failures_.size(); ++i) {
        snapshot.bind_failures[i] = bind_failures_[i].value();
    }
    for (std::size_t i = 0; i < phases_.size(); ++i) {
        phases_[i].add_to(snapshot.stop_phase_seconds[i]);
    }
    rebind_.add_to(snapshot.rebind_seconds);
}

// Of the stop under way, or of the one that ended the run.
Duration Statistics::elapsed(const EngineSnapshot& snapshot) const {
    if (snapshot.state == EngineState::stopped) return Duration(stop_took_.load());
    if (!is_stopping(snapshot.state)) return Duration::zero();
    return snapshot.at - Instant{Duration(stop_began_.load())};
}

}  // namespace berth::engine
