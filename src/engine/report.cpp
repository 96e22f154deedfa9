// SPDX-License-Identifier: MIT
//
// StopReport as a line of text and as an exit status.

#include <berth/report.hpp>

#include <algorithm>
#include <chrono>

namespace berth {

namespace {

std::string milliseconds_text(Duration duration) {
    return std::to_string(std::chrono::round<std::chrono::milliseconds>(duration).count()) + " ms";
}

std::uint64_t closed_in_all(const StopReport::Connections& connections) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : connections.closed) sum += count;
    return sum;
}

bool holds_an_address(const StopReport& report) {
    return std::ranges::any_of(report.listeners, &ListenerReport::is_held);
}

std::string ending_of(const ListenerReport& listener) {
    if (listener.is_held()) return "still held: " + listener.cause;
    if (listener.released) return "released";
    return listener.quiesce == "handed_over" ? "lives on" : "not verified";
}

}  // namespace

bool StopReport::ok() const {
    const bool ended_well = outcome == StopOutcome::clean ||
                            outcome == StopOutcome::cancelled_during_boot ||
                            outcome == StopOutcome::handed_over;
    return ended_well && !holds_an_address(*this);
}

int StopReport::exit_code() const {
    if (!loops.stuck.empty()) return 5;
    if (holds_an_address(*this)) return 4;
    if (connections.forced > 0 || bytes.discarded > 0) return 3;
    return outcome == StopOutcome::failed ? 1 : 0;
}

std::string StopReport::to_string() const {
    std::string line = "stopped ";
    line += berth::to_string(outcome);
    line += " in " + milliseconds_text(duration) + " (by " + requested_by + ", deadline " +
            milliseconds_text(deadline) + "): " + std::to_string(closed_in_all(connections)) +
            " connections closed, " + std::to_string(connections.forced) + " forced; " +
            std::to_string(bytes.discarded) + " bytes lost, " + std::to_string(bytes.unconfirmed) +
            " unconfirmed";
    for (const Listener& listener : listeners) {
        line += "; " + listener.endpoint.to_string() + ' ' + ending_of(listener);
    }
    for (const StuckLoop& stuck : loops.stuck) {
        line += "; loop " + std::to_string(stuck.loop) + " stuck in ";
        line += stuck.callback;
        line += " for " + milliseconds_text(stuck.since);
    }
    if (!failure.empty()) line += "; " + failure;
    return line;
}

}  // namespace berth
