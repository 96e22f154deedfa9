// SPDX-License-Identifier: MIT
//
// state_json: the snapshot, member by member.

#include "observe/state_json.hpp"

#include "base/json_writer.hpp"

#include <berth/engine_state.hpp>
#include <berth/report.hpp>
#include <berth/version.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::observe {

namespace {

// Zeros are left out.
template <class Enum, std::size_t Size>
void write_by_name(base::JsonWriter& json, std::string_view key,
                   const std::array<std::uint64_t, Size>& counts) {
    json.begin_object(key);
    for (std::size_t i = 0; i < Size; ++i) {
        if (counts[i] != 0) json.member(to_string(static_cast<Enum>(i)), counts[i]);
    }
    json.end_object();
}

void write_stop(base::JsonWriter& json, const EngineSnapshot::Stop& stop) {
    json.begin_object("stop")
        .member("is_requested", stop.is_requested)
        .member("requested_by", stop.requested_by)
        .member("elapsed_ms", base::in_milliseconds(stop.elapsed))
        .member("left_ms", base::in_milliseconds(stop.left))
        .end_object();
}

void write_connections(base::JsonWriter& json, const EngineSnapshot::Connections& connections) {
    json.begin_object("connections")
        .member("connecting", connections.connecting)
        .member("open", connections.open)
        .member("draining", connections.draining)
        .member("lingering", connections.lingering)
        .end_object();
}

void write_counters(base::JsonWriter& json, const EngineSnapshot::Counters& counters) {
    json.begin_object("counters")
        .member("accepted", counters.accepted)
        .member("connected", counters.connected)
        .member("accept_errors", counters.accept_errors)
        .member("accept_pauses", counters.accept_pauses)
        .member("handler_exceptions", counters.handler_exceptions)
        .member("resets_sent", counters.resets_sent)
        .member("bytes_received", counters.bytes_received)
        .member("bytes_written", counters.bytes_written)
        .member("bytes_discarded", counters.bytes_discarded)
        .member("bytes_unconfirmed", counters.bytes_unconfirmed)
        .member("tasks_run", counters.tasks_run)
        .member("tasks_cancelled", counters.tasks_cancelled)
        .member("timers_fired", counters.timers_fired)
        .member("timers_dropped", counters.timers_dropped);
    write_by_name<CloseReason>(json, "closed", counters.closed);
    write_by_name<Refusal>(json, "refused", counters.refused);
    json.end_object();
}

void write_descriptors(base::JsonWriter& json, const EngineSnapshot::Descriptors& descriptors) {
    json.begin_object("descriptors")
        .member("sent", descriptors.sent)
        .member("received", descriptors.received)
        .member("dropped", descriptors.dropped)
        .member("lost", descriptors.lost)
        .end_object();
}

void write_datagrams(base::JsonWriter& json, const EngineSnapshot::Datagrams& datagrams) {
    json.begin_object("datagrams")
        .member("received", datagrams.received)
        .member("bytes_received", datagrams.bytes_received)
        .member("truncated", datagrams.truncated)
        .member("unread", datagrams.unread)
        .member("dropped", datagrams.dropped)
        .member("sent", datagrams.sent)
        .member("bytes_sent", datagrams.bytes_sent)
        .member("refused", datagrams.refused)
        .member("errors", datagrams.errors)
        .member("unadmitted", datagrams.unadmitted)
        .member("gro_received", datagrams.gro_received)
        .member("gso_sent", datagrams.gso_sent)
        .end_object();
}

void write_loops(base::JsonWriter& json, const EngineSnapshot& engine) {
    json.begin_array("loops");
    for (const EngineSnapshot::Loop& loop : engine.loops) {
        json.begin_object()
            .member("index", std::uint64_t{loop.index})
            .member("connections", loop.connections)
            .member("busy_ms", base::in_milliseconds(loop.busy))
            .member("callback", loop.callback)
            .end_object();
    }
    json.end_array();
}

void write_listeners(base::JsonWriter& json, const EngineSnapshot& engine) {
    json.begin_array("listeners");
    for (const EngineSnapshot::Listener& listener : engine.listeners) {
        json.begin_object()
            .member("address", listener.endpoint.to_string())
            .member("is_open", listener.is_open)
            .member("connections", listener.connections)
            .member("accept_queue", listener.accept_queue)
            .end_object();
    }
    json.end_array();
}

}  // namespace

std::string state_json(const EngineSnapshot& snapshot) {
    base::JsonWriter json;
    json.begin_object()
        .member("version", std::uint64_t{1})
        .member("berth", version())
        .member("state", to_string(snapshot.state))
        .member("uptime_ms", base::in_milliseconds(snapshot.uptime));
    write_stop(json, snapshot.stop);
    write_connections(json, snapshot.connections);
    json.member("in_flight", snapshot.in_flight)
        .member("outbound_bytes", snapshot.outbound_bytes)
        .member("timers", snapshot.timers);
    write_listeners(json, snapshot);
    write_loops(json, snapshot);
    write_counters(json, snapshot.counters);
    write_datagrams(json, snapshot.datagrams);
    write_descriptors(json, snapshot.descriptors);
    write_by_name<StopOutcome>(json, "stops", snapshot.stops);
    json.begin_object("handovers")
        .member("generation", snapshot.handovers.generation)
        .member("committed", snapshot.handovers.committed)
        .member("rolled_back", snapshot.handovers.rolled_back)
        .member("failed", snapshot.handovers.failed)
        .member("successor", static_cast<std::uint64_t>(snapshot.handovers.successor))
        .end_object()
        .end_object();
    return json.text();
}

}  // namespace berth::observe
