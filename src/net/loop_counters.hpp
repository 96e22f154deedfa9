// SPDX-License-Identifier: MIT
//
// LoopCounters: what one loop counts. Written by its thread, read by any.
//
// Gauges move when a connection passes from one stage to the next, and where output is queued;
// nothing here is touched by a message that goes straight through.

#pragma once

#include "base/counter.hpp"
#include "base/duration_counter.hpp"
#include "base/gauge.hpp"

#include <berth/handler.hpp>
#include <berth/snapshot.hpp>

#include <array>
#include <cstdint>

namespace berth::net {

// Where a connection is, for who counts them. Each is in one stage until it is reaped.
enum class Stage : std::uint8_t {
    connecting,  // no answer yet, or shaking hands
    open,
    draining,   // told of a stop; our FIN is not out
    lingering,  // our FIN is out
};

struct LoopCounters {
    base::Counter opened;     // connections, accepted or connected
    base::Counter accepted;   // of these
    base::Counter connected;  // by EventLoop::connect, successfully
    base::Counter reaped;     // connections gone, whether or not on_close was called
    std::array<base::Counter, kCloseReasons> closed;  // on_close calls, by reason
    std::array<base::Counter, kRefusals> refused;     // sent away at once, by reason
    base::Counter resets_sent;
    base::Counter accept_errors;
    base::Counter accept_pauses;  // no descriptor, no memory, or connections_max reached
    base::Counter handler_exceptions;
    base::Counter stale;  // calls to ids whose connection was gone
    base::Counter tasks_run;
    base::Counter tasks_cancelled;
    base::Counter timers_fired;    // of users
    base::Counter timers_dropped;  // by a stop

    struct Datagrams {
        base::Counter received;
        base::Counter bytes_received;
        base::Counter truncated;  // of these: longer than Options::datagram_max
        base::Counter unread;     // of these, to connections: on_traffic left a rest, now dropped
        base::Counter dropped;    // by the kernel: no room in the receive buffer
        base::Counter sent;
        base::Counter bytes_sent;
        base::Counter refused;     // by the kernel, when they were sent: lost
        base::Counter errors;      // that came back for what was sent, ICMP
        base::Counter unadmitted;  // received from who gets no session
        base::Counter gro_received;
        base::Counter gso_sent;
    };
    Datagrams datagrams;

    struct Descriptors {
        base::Counter sent;
        base::Counter received;
        base::Counter dropped;  // of these: nobody took them
        base::Counter lost;     // messages whose descriptors could not all be let in
    };
    Descriptors descriptors;

    // ── Of connections that are gone ─────────────────────────────────────────────────────────
    base::Counter bytes_received;
    base::Counter bytes_written;
    base::Counter bytes_discarded;        // written, and never sent
    base::Counter bytes_unconfirmed;      // sent, and not acknowledged when we reset
    base::DurationCounter drain_seconds;  // from on_drain to on_close

    // ── Now ──────────────────────────────────────────────────────────────────────────────────
    base::Gauge connecting;  // connections by stage
    base::Gauge open;
    base::Gauge draining;
    base::Gauge lingering;
    base::Gauge in_flight;       // InFlight tokens of connections that are there
    base::Gauge outbound_bytes;  // queued, not taken by the kernel
    base::Gauge timers;          // of users, waiting

    base::Gauge& of(Stage stage) {
        switch (stage) {
            case Stage::connecting: return connecting;
            case Stage::open: return open;
            case Stage::draining: return draining;
            case Stage::lingering: break;
        }
        return lingering;
    }
    // Has everybody our FIN?
    bool is_settled() const { return connecting.value() + open.value() + draining.value() == 0; }

    // ── Since the stop began ─────────────────────────────────────────────────────────────────
    base::Counter stop_forced;  // connections cut off, by the deadline or for being too slow
    base::Counter stop_written;
    base::Counter stop_acknowledged;
    base::Counter stop_discarded;
    base::Counter stop_unconfirmed;
    base::Counter stop_received_late;  // bytes after our FIN
};

}  // namespace berth::net
