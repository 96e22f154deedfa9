// SPDX-License-Identifier: MIT
//
// Engine::snapshot: adding up what the loops have counted.
//
// Nothing here waits for a loop, and no loop waits for it.

#include <berth/snapshot.hpp>

#include "base/reader_gate.hpp"
#include "driver/socket_rows.hpp"
#include "engine/engine_core.hpp"

#include <algorithm>
#include <vector>

namespace berth {

namespace {

void add_counters(EngineSnapshot& snapshot, const net::LoopCounters& counters) {
    EngineSnapshot::Counters& sum = snapshot.counters;
    sum.accepted += counters.accepted.value();
    sum.connected += counters.connected.value();
    sum.accept_errors += counters.accept_errors.value();
    sum.accept_pauses += counters.accept_pauses.value();
    sum.handler_exceptions += counters.handler_exceptions.value();
    sum.resets_sent += counters.resets_sent.value();
    sum.bytes_received += counters.bytes_received.value();
    sum.bytes_written += counters.bytes_written.value();
    sum.bytes_discarded += counters.bytes_discarded.value();
    sum.bytes_unconfirmed += counters.bytes_unconfirmed.value();
    sum.tasks_run += counters.tasks_run.value();
    sum.tasks_cancelled += counters.tasks_cancelled.value();
    sum.timers_fired += counters.timers_fired.value();
    sum.timers_dropped += counters.timers_dropped.value();
    for (std::size_t reason = 0; reason < kCloseReasons; ++reason) {
        sum.closed[reason] += counters.closed[reason].value();
    }
    for (std::size_t reason = 0; reason < kRefusals; ++reason) {
        sum.refused[reason] += counters.refused[reason].value();
    }
    counters.drain_seconds.add_to(snapshot.drain_seconds);
}

void add_datagrams(EngineSnapshot::Datagrams& sum, const net::LoopCounters::Datagrams& counters) {
    sum.received += counters.received.value();
    sum.bytes_received += counters.bytes_received.value();
    sum.truncated += counters.truncated.value();
    sum.unread += counters.unread.value();
    sum.dropped += counters.dropped.value();
    sum.sent += counters.sent.value();
    sum.bytes_sent += counters.bytes_sent.value();
    sum.refused += counters.refused.value();
    sum.errors += counters.errors.value();
    sum.unadmitted += counters.unadmitted.value();
    sum.gro_received += counters.gro_received.value();
    sum.gso_sent += counters.gso_sent.value();
}

void add_descriptors(EngineSnapshot::Descriptors& sum,
                     const net::LoopCounters::Descriptors& counters) {
    sum.sent += counters.sent.value();
    sum.received += counters.received.value();
    sum.dropped += counters.dropped.value();
    sum.lost += counters.lost.value();
}

std::uint64_t now(const base::Gauge& gauge) { return static_cast<std::uint64_t>(gauge.value()); }

void add_gauges(EngineSnapshot& snapshot, const net::LoopCounters& counters) {
    snapshot.connections.connecting += now(counters.connecting);
    snapshot.connections.open += now(counters.open);
    snapshot.connections.draining += now(counters.draining);
    snapshot.connections.lingering += now(counters.lingering);
    snapshot.in_flight += now(counters.in_flight);
    snapshot.outbound_bytes += now(counters.outbound_bytes);
    snapshot.timers += now(counters.timers);
}

std::uint64_t connections(const net::LoopCounters& counters) {
    return now(counters.connecting) + now(counters.open) + now(counters.draining) +
           now(counters.lingering);
}

// A loop that was not begun, or has ended, is not busy whatever its clock says.
Duration busy(const EngineSnapshot& snapshot, const engine::Worker& worker) {
    const bool runs = snapshot.state >= EngineState::ready &&
                      snapshot.state != EngineState::failed && !worker.has_left();
    const auto since = runs ? worker.busy_since() : std::nullopt;
    return since ? std::max(snapshot.at - *since, Duration::zero()) : Duration::zero();
}

void add_loops(EngineSnapshot& snapshot, const engine::Core& core) {
    for (std::size_t i = 0; i < core.worker_count(); ++i) {
        engine::Worker& worker = core.worker(i);
        const net::LoopCounters& counters = worker.counters();
        add_counters(snapshot, counters);
        add_datagrams(snapshot.datagrams, counters.datagrams);
        add_descriptors(snapshot.descriptors, counters.descriptors);
        add_gauges(snapshot, counters);
        snapshot.loops.push_back({.index = i,
                                  .connections = connections(counters),
                                  .busy = busy(snapshot, worker),
                                  .callback = net::to_string(worker.callback())});
    }
}

// Of all its shards; of Unix sockets the kernel does not say.
std::uint64_t accept_queue(driver::System& system, const Endpoint& endpoint) {
    if (endpoint.is_unix() || endpoint.is_udp()) return 0;
    const auto rows = system.sockets(endpoint.scheme(), endpoint.ip().port,
                                     driver::SocketStates::of({driver::SocketState::listening}));
    std::uint64_t waiting = 0;
    if (!rows) return waiting;
    for (const driver::SocketRow& row : *rows) {
        if (row.local == endpoint.ip()) waiting += row.receive_queue;
    }
    return waiting;
}

void add_listeners(EngineSnapshot& snapshot, const engine::Core& core) {
    {
        const base::ReaderGate::Visit visit(core.endpoints_gate());
        if (!visit.is_inside()) return;
        const engine::Listeners& listeners = core.listeners();
        for (std::size_t i = 0; i < listeners.size(); ++i) {
            snapshot.listeners.push_back({.endpoint = listeners.endpoint(i),
                                          .is_open = !listeners.is_closed(i),
                                          .connections = listeners.connections(i)});
        }
    }
    for (EngineSnapshot::Listener& listener : snapshot.listeners) {
        if (listener.is_open) {
            listener.accept_queue = accept_queue(core.system(), listener.endpoint);
        }
    }
}

void add_stop(EngineSnapshot& snapshot, const engine::StopRequest& request) {
    snapshot.stop.is_requested = request.is_asked();
    if (!snapshot.stop.is_requested) return;
    snapshot.stop.requested_by = request.source().to_string();
    if (!engine::is_running(snapshot.state)) return;
    snapshot.stop.left = std::max(request.deadline() - snapshot.at, Duration::zero());
}

}  // namespace

EngineSnapshot Engine::snapshot() const {
    const engine::Core& core = *core_;
    EngineSnapshot snapshot;
    snapshot.state = core.state();
    snapshot.at = core.system().now();
    add_stop(snapshot, core.stop_request());
    core.statistics().write_to(snapshot);
    add_loops(snapshot, core);
    add_listeners(snapshot, core);
    snapshot.handovers = core.handover().counts().snapshot();
    return snapshot;
}

}  // namespace berth
