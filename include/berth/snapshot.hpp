// SPDX-License-Identifier: MIT
//
// EngineSnapshot: the numbers and states of an engine at one moment.
//
// Each loop counts for itself and shares nothing; a snapshot adds up what the loops have. Numbers
// of different loops are microseconds apart. Counters go on from run to run of one engine.
//
// Lifetime:  a value.
// Threads:   Engine::snapshot() may be called from any thread.
// See:       docs/reference/metrics.md.

#pragma once

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/engine_state.hpp>
#include <berth/export.hpp>
#include <berth/handler.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

// Counts of durations: buckets[i] is the number of those at most kBounds[i]; the last, all.
struct DurationHistogram {
    static constexpr std::array kBounds{
        std::chrono::microseconds{100},       std::chrono::microseconds{1'000},
        std::chrono::microseconds{5'000},     std::chrono::microseconds{25'000},
        std::chrono::microseconds{100'000},   std::chrono::microseconds{500'000},
        std::chrono::microseconds{1'000'000}, std::chrono::microseconds{5'000'000},
        std::chrono::microseconds{30'000'000}};
    std::array<std::uint64_t, kBounds.size() + 1> buckets{};
    Duration sum{};
};

inline constexpr std::size_t kStopOutcomes = 7;  // of StopOutcome, report.hpp
inline constexpr std::size_t kPortCauses = 17;   // of PortCause, port.hpp

// Why a client was sent away as soon as it was accepted.
enum class Refusal : std::uint8_t {
    stopping,        // LateAccept::refuse
    listener_limit,  // Options::listener_connections_max
    address_limit,   // Options::address_connections_max
    accept_rate,     // Options::accept_rate_max
};
inline constexpr std::size_t kRefusals = 4;
BERTH_EXPORT std::string_view to_string(Refusal refusal);

struct EngineSnapshot {
    // Connections by what they do; their sum is connection_count().
    struct Connections {
        std::uint64_t connecting = 0;
        std::uint64_t open = 0;
        std::uint64_t draining = 0;   // told to drain, their FIN is not sent
        std::uint64_t lingering = 0;  // our FIN is out
    };
    struct Counters {
        std::uint64_t accepted = 0;
        std::uint64_t connected = 0;  // by EventLoop::connect
        std::uint64_t accept_errors = 0;
        std::uint64_t accept_pauses = 0;
        std::uint64_t handler_exceptions = 0;
        std::uint64_t resets_sent = 0;
        // Of connections that are gone, as in StopReport::Bytes.
        std::uint64_t bytes_received = 0;
        std::uint64_t bytes_written = 0;
        std::uint64_t bytes_discarded = 0;
        std::uint64_t bytes_unconfirmed = 0;
        std::uint64_t tasks_run = 0;
        std::uint64_t tasks_cancelled = 0;
        std::uint64_t timers_fired = 0;
        std::uint64_t timers_dropped = 0;                   // by a stop
        std::array<std::uint64_t, kCloseReasons> closed{};  // by CloseReason
        std::array<std::uint64_t, kRefusals> refused{};     // by Refusal
    };
    struct Datagrams {
        std::uint64_t received = 0;
        std::uint64_t bytes_received = 0;
        std::uint64_t truncated = 0;  // of these: longer than Options::datagram_max
        std::uint64_t unread = 0;     // of these and of packets, to connections: on_traffic left
                                      // a rest, dropped
        std::uint64_t dropped = 0;    // by the kernel, for want of room, known with the next one;
                                      // or while a session was paused
        std::uint64_t sent = 0;
        std::uint64_t bytes_sent = 0;
        std::uint64_t refused = 0;  // by the kernel, when they were to be sent: lost
        std::uint64_t errors = 0;   // that came back for what was sent (ICMP)
        // Of those received: from who gets no session, by sessions_max or for a stop: dropped.
        std::uint64_t unadmitted = 0;
        std::uint64_t gro_received = 0;  // of those received: came as one with others (UDP_GRO)
        std::uint64_t gso_sent = 0;      // of those sent: left as one with others (UDP_SEGMENT)
    };
    // That travelled with the bytes of Unix connections.
    struct Descriptors {
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        std::uint64_t dropped = 0;  // of these: nobody took them, so they were closed
        std::uint64_t lost = 0;     // messages whose descriptors could not all be let in
    };
    struct Loop {
        std::size_t index = 0;
        std::uint64_t connections = 0;
        // Since its iteration under way began; 0: it sleeps. For a moment after it was woken it
        // is the time since the one before: who judges by it looks twice.
        Duration busy{};
        std::string_view callback;  // the handler callback it entered last
    };
    struct Listener {
        Endpoint endpoint;
        bool is_open = true;
        std::uint64_t connections = 0;   // accepted on it, and open
        std::uint64_t accept_queue = 0;  // connected, not yet accepted; 0 on Unix sockets
    };
    struct Stop {
        bool is_requested = false;
        std::string requested_by;
        Duration elapsed{};
        Duration left{};  // to the deadline
    };
    struct Handovers {
        std::uint64_t generation = 0;  // 0: the first
        std::uint64_t committed = 0;
        std::uint64_t rolled_back = 0;
        std::uint64_t failed = 0;
        std::int64_t successor = 0;  // pid of the process that took over last; 0: none
    };

    // The order of stop_phase_seconds; names as in StopReport::Phase.
    static constexpr std::array<std::string_view, 7> kStopPhases{
        "lame_duck", "quiesce", "drain", "linger", "force", "reclaim", "verify"};

    Instant at;  // when it was taken
    EngineState state = EngineState::idle;
    Duration uptime{};  // since it was ready; 0: it does not run
    Connections connections;
    std::uint64_t in_flight = 0;       // InFlight tokens
    std::uint64_t outbound_bytes = 0;  // queued, not taken by the kernel
    std::uint64_t timers = 0;          // of users, waiting
    Counters counters;
    Datagrams datagrams;
    Descriptors descriptors;
    std::vector<Loop> loops;
    std::vector<Listener> listeners;
    Stop stop;
    Handovers handovers;
    std::array<std::uint64_t, kStopOutcomes> stops{};        // that are over, by StopOutcome
    std::array<std::uint64_t, kPortCauses> bind_failures{};  // starts that failed, by PortCause
    DurationHistogram drain_seconds;  // of a connection, from on_drain to on_close
    std::array<DurationHistogram, kStopPhases.size()> stop_phase_seconds;
    DurationHistogram rebind_seconds;  // until a stop had bound every address again
};

}  // namespace berth
