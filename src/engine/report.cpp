// SPDX-License-Identifier: MIT
//
// StopReport as a line of text, as JSON, and as an exit status.

#include <berth/report.hpp>

#include "base/json_writer.hpp"

#include <algorithm>
#include <chrono>

namespace berth {

namespace {

double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

std::string milliseconds_text(Duration duration) {
    return std::to_string(std::chrono::round<std::chrono::milliseconds>(duration).count()) + " ms";
}

std::uint64_t closed_in_all(const StopReport::Connections& connections) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : connections.closed) sum += count;
    return sum;
}

bool holds_an_address(const StopReport& report) {
    return std::ranges::any_of(report.listeners,
                               [](const auto& listener) { return !listener.released; });
}

void write_phases(base::JsonWriter& json, const StopReport& report) {
    json.begin_array("phases");
    for (const StopReport::Phase& phase : report.phases) {
        json.begin_object()
            .member("name", phase.name)
            .member("start_ms", milliseconds(phase.start))
            .member("duration_ms", milliseconds(phase.duration))
            .end_object();
    }
    json.end_array();
}

void write_connections(base::JsonWriter& json, const StopReport::Connections& connections) {
    json.begin_object("connections")
        .member("at_start", connections.at_start)
        .member("opened_during_stop", connections.opened_during_stop)
        .begin_object("closed");
    for (std::size_t reason = 0; reason < kCloseReasons; ++reason) {
        if (connections.closed[reason] == 0) continue;
        json.member(to_string(static_cast<CloseReason>(reason)), connections.closed[reason]);
    }
    json.end_object().member("forced", connections.forced).end_object();
}

void write_bytes(base::JsonWriter& json, const StopReport::Bytes& bytes) {
    json.begin_object("bytes")
        .member("written", bytes.written)
        .member("acknowledged", bytes.acknowledged)
        .member("discarded", bytes.discarded)
        .member("unconfirmed", bytes.unconfirmed)
        .member("received_after_fin", bytes.received_after_fin)
        .end_object();
}

void write_listeners(base::JsonWriter& json, const StopReport& report) {
    json.begin_array("listeners");
    for (const StopReport::Listener& listener : report.listeners) {
        json.begin_object()
            .member("address", listener.endpoint.to_string())
            .member("quiesce", listener.quiesce)
            .member("released", listener.released)
            .member("cause", listener.cause)
            .end_object();
    }
    json.end_array();
}

void write_loops(base::JsonWriter& json, const StopReport::Loops& loops) {
    json.begin_object("loops").member("joined", loops.joined).begin_array("stuck");
    for (const StopReport::StuckLoop& stuck : loops.stuck) {
        json.begin_object()
            .member("loop", stuck.loop)
            .member("callback", stuck.callback)
            .member("since_ms", milliseconds(stuck.since))
            .end_object();
    }
    json.end_array().end_object();
}

}  // namespace

bool StopReport::ok() const {
    const bool ended_well =
        outcome == StopOutcome::clean || outcome == StopOutcome::cancelled_during_boot;
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
        line += "; " + listener.endpoint.to_string() +
                (listener.released ? " released" : " still held: " + listener.cause);
    }
    for (const StuckLoop& stuck : loops.stuck) {
        line += "; loop " + std::to_string(stuck.loop) + " stuck in ";
        line += stuck.callback;
        line += " for " + milliseconds_text(stuck.since);
    }
    if (!failure.empty()) line += "; " + failure;
    return line;
}

std::string StopReport::to_json() const {
    base::JsonWriter json;
    json.begin_object()
        .member("version", std::uint64_t{1})
        .member("outcome", berth::to_string(outcome))
        .member("requested_by", requested_by)
        .member("deadline_ms", milliseconds(deadline))
        .member("duration_ms", milliseconds(duration));
    write_phases(json, *this);
    write_connections(json, connections);
    write_bytes(json, bytes);
    write_listeners(json, *this);
    json.begin_object("tasks")
        .member("run", tasks.run)
        .member("cancelled", tasks.cancelled)
        .end_object();
    write_loops(json, loops);
    json.begin_object("descriptors")
        .member("before", descriptors.before)
        .member("after", descriptors.after)
        .end_object()
        .member("handler_exceptions", handler_exceptions)
        .member("failure", failure)
        .end_object();
    return json.text();
}

}  // namespace berth
