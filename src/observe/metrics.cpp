// SPDX-License-Identifier: MIT
//
// The catalogue of metrics: names, labels and help in the order of the page.

#include "observe/metrics.hpp"

#include "observe/exposition.hpp"
#include "observe/health.hpp"

#include <berth/engine_state.hpp>
#include <berth/port.hpp>
#include <berth/report.hpp>
#include <berth/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::observe {

namespace {

constexpr auto kGauge = MetricType::gauge;
constexpr auto kCounter = MetricType::counter;
constexpr auto kHistogram = MetricType::histogram;

// One sample per value of an enum whose counts stand in an array.
template <class Enum, std::size_t Size>
void by_name(Exposition& out, std::string_view label,
             const std::array<std::uint64_t, Size>& counts) {
    for (std::size_t i = 0; i < Size; ++i) {
        out.sample(counts[i], {{label, to_string(static_cast<Enum>(i))}});
    }
}

void write_state(Exposition& out, const EngineSnapshot& engine) {
    out.family("berth_build_info", kGauge, "Which berth this is; always 1.")
        .sample(std::uint64_t{1}, {{"version", version()}});
    out.family("berth_state", kGauge, "1 for the state the engine is in, 0 for all others.");
    for (auto state = EngineState::idle; state <= EngineState::failed;
         state = static_cast<EngineState>(static_cast<int>(state) + 1)) {
        out.sample(std::uint64_t{state == engine.state}, {{"state", to_string(state)}});
    }
    out.family("berth_ready", kGauge, "1 while clients may be sent here, as /readyz says.")
        .sample(std::uint64_t{readiness(engine).is_well});
    out.family("berth_uptime_seconds", kGauge, "Since the engine was ready; 0: it does not run.")
        .sample(engine.uptime);
}

void write_connections(Exposition& out, const EngineSnapshot& engine) {
    const EngineSnapshot::Connections& connections = engine.connections;
    out.family("berth_connections", kGauge, "Connections by what they do.")
        .sample(connections.connecting, {{"state", "connecting"}})
        .sample(connections.open, {{"state", "open"}})
        .sample(connections.draining, {{"state", "draining"}})
        .sample(connections.lingering, {{"state", "lingering"}});
    out.family("berth_in_flight", kGauge, "Requests that are being worked on (InFlight tokens).")
        .sample(engine.in_flight);
    out.family("berth_outbound_bytes", kGauge, "Written, and not taken by the kernel yet.")
        .sample(engine.outbound_bytes);

    const EngineSnapshot::Counters& counters = engine.counters;
    out.family("berth_accepted_total", kCounter, "Connections accepted.").sample(counters.accepted);
    out.family("berth_connected_total", kCounter, "Connections opened to somebody else.")
        .sample(counters.connected);
    out.family("berth_refused_total", kCounter,
               "Clients that were sent away as soon as they were accepted, by reason.");
    by_name<Refusal>(out, "reason", counters.refused);
    out.family("berth_closed_total", kCounter, "Connections ended, by reason.");
    by_name<CloseReason>(out, "reason", counters.closed);
    out.family("berth_accept_errors_total", kCounter, "Accepts that failed.")
        .sample(counters.accept_errors);
    out.family("berth_accept_pauses_total", kCounter,
               "Times that accepting paused: no descriptor, no memory, or connections_max.")
        .sample(counters.accept_pauses);
    out.family("berth_resets_sent_total", kCounter, "Connections that we reset.")
        .sample(counters.resets_sent);
}

// Of connections that are gone: counting as they run would cost every message something.
void write_bytes(Exposition& out, const EngineSnapshot::Counters& counters) {
    out.family("berth_received_bytes_total", kCounter, "Received by connections that are gone.")
        .sample(counters.bytes_received);
    out.family("berth_written_bytes_total", kCounter, "Taken by write() from the same.")
        .sample(counters.bytes_written);
    out.family("berth_discarded_bytes_total", kCounter, "Of these, never sent: lost.")
        .sample(counters.bytes_discarded);
    out.family("berth_unconfirmed_bytes_total", kCounter,
               "Of these, sent and not acknowledged when we reset: they may have arrived.")
        .sample(counters.bytes_unconfirmed);
}

void write_descriptors(Exposition& out, const EngineSnapshot::Descriptors& descriptors) {
    out.family("berth_descriptors_sent_total", kCounter, "Descriptors that were passed on.")
        .sample(descriptors.sent);
    out.family("berth_descriptors_received_total", kCounter, "Descriptors that were passed here.")
        .sample(descriptors.received);
    out.family("berth_descriptors_dropped_total", kCounter, "Of these, taken by nobody: closed.")
        .sample(descriptors.dropped);
    out.family("berth_descriptors_lost_total", kCounter,
               "Messages whose descriptors could not all be let in.")
        .sample(descriptors.lost);
}

void write_datagrams(Exposition& out, const EngineSnapshot::Datagrams& datagrams) {
    out.family("berth_datagrams_received_total", kCounter,
               "Datagrams received, by listeners and connections.")
        .sample(datagrams.received);
    out.family("berth_datagrams_received_bytes_total", kCounter, "Their bytes.")
        .sample(datagrams.bytes_received);
    out.family("berth_datagrams_truncated_total", kCounter,
               "Of these, longer than Options::datagram_max.")
        .sample(datagrams.truncated);
    out.family("berth_datagrams_unread_total", kCounter,
               "Of these, to connections: on_traffic left a rest, which was dropped.")
        .sample(datagrams.unread);
    out.family("berth_datagrams_dropped_total", kCounter,
               "Dropped by the kernel, for want of room; known when the next one comes.")
        .sample(datagrams.dropped);
    out.family("berth_datagrams_sent_total", kCounter, "Datagrams that the kernel took.")
        .sample(datagrams.sent);
    out.family("berth_datagrams_sent_bytes_total", kCounter, "Their bytes.")
        .sample(datagrams.bytes_sent);
    out.family("berth_datagrams_refused_total", kCounter, "Those that it refused: lost.")
        .sample(datagrams.refused);
    out.family("berth_datagrams_errors_total", kCounter,
               "Errors that came back for what was sent (ICMP).")
        .sample(datagrams.errors);
    out.family("berth_datagrams_unadmitted_total", kCounter,
               "Of those received, from peers that get no session: dropped.")
        .sample(datagrams.unadmitted);
    out.family("berth_datagrams_gro_received_total", kCounter,
               "Of those received, that came as one with others (UDP_GRO).")
        .sample(datagrams.gro_received);
    out.family("berth_datagrams_gso_sent_total", kCounter,
               "Of those sent, that left as one with others (UDP_SEGMENT).")
        .sample(datagrams.gso_sent);
}

void write_work(Exposition& out, const EngineSnapshot& engine) {
    const EngineSnapshot::Counters& counters = engine.counters;
    out.family("berth_handler_exceptions_total", kCounter, "Callbacks that threw.")
        .sample(counters.handler_exceptions);
    out.family("berth_tasks_run_total", kCounter, "Posts, writes, wakes and closes that ran.")
        .sample(counters.tasks_run);
    out.family("berth_tasks_cancelled_total", kCounter, "Those that a stop came before.")
        .sample(counters.tasks_cancelled);
    out.family("berth_timers", kGauge, "Timers of the program that wait.").sample(engine.timers);
    out.family("berth_timers_fired_total", kCounter,
               "Timers that ran; each beat of a periodic one.")
        .sample(counters.timers_fired);
    out.family("berth_timers_dropped_total", kCounter, "Timers that a stop came before.")
        .sample(counters.timers_dropped);
    out.family("berth_loop_connections", kGauge, "Connections of each loop.");
    for (const EngineSnapshot::Loop& loop : engine.loops) {
        out.sample(loop.connections, {{"loop", std::to_string(loop.index)}});
    }
    out.family("berth_loop_lag_seconds", kGauge,
               "Since the loop last came round; 0: it waits for events.");
    for (const EngineSnapshot::Loop& loop : engine.loops) {
        out.sample(loop.busy, {{"loop", std::to_string(loop.index)}});
    }
}

void write_listeners(Exposition& out, const EngineSnapshot& engine) {
    out.family("berth_listener_open", kGauge, "1 while the listener is not closed.");
    for (const EngineSnapshot::Listener& listener : engine.listeners) {
        out.sample(std::uint64_t{listener.is_open}, {{"listener", listener.endpoint.to_string()}});
    }
    out.family("berth_listener_connections", kGauge, "Open connections accepted on the listener.");
    for (const EngineSnapshot::Listener& listener : engine.listeners) {
        out.sample(listener.connections, {{"listener", listener.endpoint.to_string()}});
    }
    out.family("berth_accept_queue", kGauge, "Connected clients that are not accepted yet.");
    for (const EngineSnapshot::Listener& listener : engine.listeners) {
        out.sample(listener.accept_queue, {{"listener", listener.endpoint.to_string()}});
    }
    out.family("berth_bind_failures_total", kCounter, "Starts that met a taken address, by cause.");
    by_name<PortCause>(out, "cause", engine.bind_failures);
}

void write_stops(Exposition& out, const EngineSnapshot& engine) {
    out.family("berth_stop_requested", kGauge, "1 from the request of a stop on.")
        .sample(std::uint64_t{engine.stop.is_requested});
    out.family("berth_stop_elapsed_seconds", kGauge, "Since the stop under way began.")
        .sample(engine.stop.elapsed);
    out.family("berth_stop_left_seconds", kGauge, "Until its deadline.").sample(engine.stop.left);
    out.family("berth_stops_total", kCounter, "Stops that are over, by outcome.");
    by_name<StopOutcome>(out, "outcome", engine.stops);
    out.family("berth_stop_phase_seconds", kHistogram, "Phases of stops that are over.");
    for (std::size_t i = 0; i < engine.stop_phase_seconds.size(); ++i) {
        out.sample(engine.stop_phase_seconds[i], {{"phase", EngineSnapshot::kStopPhases[i]}});
    }
    out.family("berth_drain_seconds", kHistogram, "Of a connection, from on_drain to on_close.")
        .sample(engine.drain_seconds);
    out.family("berth_rebind_seconds", kHistogram, "Until a stop had bound every address again.")
        .sample(engine.rebind_seconds);
    out.family("berth_generation", kGauge, "Hot restarts before this process; 0: the first.")
        .sample(engine.handovers.generation);
    out.family("berth_handovers_total", kCounter, "Hot restarts of this process, by result.")
        .sample(engine.handovers.committed, {{"result", "committed"}})
        .sample(engine.handovers.rolled_back, {{"result", "rolled_back"}})
        .sample(engine.handovers.failed, {{"result", "failed"}});
}

}  // namespace

std::string metrics_text(const EngineSnapshot& snapshot) {
    Exposition out;
    write_state(out, snapshot);
    write_connections(out, snapshot);
    write_bytes(out, snapshot.counters);
    write_datagrams(out, snapshot.datagrams);
    write_descriptors(out, snapshot.descriptors);
    write_work(out, snapshot);
    write_listeners(out, snapshot);
    write_stops(out, snapshot);
    return out.text();
}

}  // namespace berth::observe
