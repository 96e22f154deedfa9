// SPDX-License-Identifier: MIT
//
// LoopCounters: what one loop counts. Written by its thread, read by any.

#pragma once

#include "base/counter.hpp"

#include <berth/handler.hpp>

#include <array>

namespace berth::net {

struct LoopCounters {
    base::Counter opened;  // connections, accepted or connected
    base::Counter reaped;  // connections gone, whether or not on_close was called
    std::array<base::Counter, kCloseReasons> closed;  // on_close calls, by reason
    base::Counter accept_errors;
    base::Counter accept_pauses;  // no descriptor, no memory, or connections_max reached
    base::Counter handler_exceptions;
    base::Counter stale;  // calls to ids whose connection was gone
    base::Counter tasks_run;
    base::Counter tasks_cancelled;

    // ── Since the stop began ─────────────────────────────────────────────────────────────────
    base::Counter stop_forced;  // connections reset by the deadline
    base::Counter stop_written;
    base::Counter stop_acknowledged;
    base::Counter stop_discarded;
    base::Counter stop_unconfirmed;
    base::Counter stop_received_late;  // bytes after our FIN
};

}  // namespace berth::net
