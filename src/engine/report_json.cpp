// SPDX-License-Identifier: MIT
//
// StopReport as JSON: docs/reference/report.md. Fields may be added, none goes.

#include "base/json_writer.hpp"

#include <berth/report.hpp>

#include <chrono>

namespace berth {

namespace {

void write_phases(base::JsonWriter& json, const StopReport& report) {
    json.begin_array("phases");
    for (const StopReport::Phase& phase : report.phases) {
        json.begin_object()
            .member("name", phase.name)
            .member("start_ms", base::in_milliseconds(phase.start))
            .member("duration_ms", base::in_milliseconds(phase.duration))
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

// What a script needs to know of the holders; all of it is in PortDiagnosis::to_json.
void write_port(base::JsonWriter& json, const PortDiagnosis& port) {
    json.begin_object("port")
        .member("cause", to_string(port.cause))
        .member("certainty", to_string(port.certainty))
        .member("evidence", port.evidence)
        .member("remedy", port.remedy)
        .begin_array("holders");
    for (const PortHolder& holder : port.holders) {
        json.begin_object()
            .member("pid", static_cast<std::uint64_t>(holder.pid))
            .member("command", holder.command)
            .end_object();
    }
    json.end_array().end_object();
}

void write_listeners(base::JsonWriter& json, const StopReport& report) {
    json.begin_array("listeners");
    for (const StopReport::Listener& listener : report.listeners) {
        json.begin_object()
            .member("address", listener.endpoint.to_string())
            .member("quiesce", listener.quiesce)
            .member("released", listener.released)
            .member("listened", listener.listened)
            .member("cause", listener.cause)
            .member("accepted_after_stop", listener.accepted_after_stop)
            .member("refused", listener.refused)
            .member("handshakes_abandoned", listener.handshakes_abandoned)
            .member("datagrams_after_stop", listener.datagrams_after_stop);
        if (listener.port) write_port(json, *listener.port);
        json.end_object();
    }
    json.end_array();
}

void write_forced(base::JsonWriter& json, const StopReport& report) {
    json.begin_array("forced");
    for (const StopReport::Forced& forced : report.forced) {
        json.begin_object()
            .member("id", std::to_string(forced.id.value()))
            .member("peer", forced.peer.to_string())
            .member("state", forced.state)
            .member("age_ms", base::in_milliseconds(forced.age))
            .member("idle_ms", base::in_milliseconds(forced.idle))
            .member("bytes_unsent", forced.bytes_unsent)
            .member("bytes_unconfirmed", forced.bytes_unconfirmed)
            .member("in_flight", std::uint64_t{forced.in_flight})
            .end_object();
    }
    json.end_array();
}

void write_samples(base::JsonWriter& json, const StopReport& report) {
    json.begin_array("samples");
    for (const StopReport::Sample& sample : report.samples) {
        json.begin_object()
            .member("at_ms", base::in_milliseconds(sample.at))
            .member("serving", sample.serving)
            .member("flushing", sample.flushing)
            .member("lingering", sample.lingering)
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
            .member("since_ms", base::in_milliseconds(stuck.since))
            .member("thread", static_cast<std::uint64_t>(stuck.thread))
            .end_object();
    }
    json.end_array().end_object();
}

}  // namespace

std::string StopReport::to_json() const {
    base::JsonWriter json;
    json.begin_object()
        .member("version", std::uint64_t{1})
        .member("outcome", berth::to_string(outcome))
        .member("requested_by", requested_by)
        .member("deadline_ms", base::in_milliseconds(deadline))
        .member("duration_ms", base::in_milliseconds(duration));
    write_phases(json, *this);
    write_connections(json, connections);
    write_bytes(json, bytes);
    write_forced(json, *this);
    write_samples(json, *this);
    write_listeners(json, *this);
    json.begin_object("tasks")
        .member("run", tasks.run)
        .member("cancelled", tasks.cancelled)
        .member("timers_dropped", tasks.timers_dropped)
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
