// SPDX-License-Identifier: MIT
//
// Options: every bound and choice of an engine, each with a safe default.
//
//     berth::run(handler, "tcp://:9000", {.loops = 4, .idle_timeout = 60s});
//
// Lifetime:  copied when the engine is made; `logger` must outlive the engine.
// Errors:    a value out of range fails start() with ErrorCode::invalid_option and its name.

#pragma once

#include <berth/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace berth {

class Logger;

enum class DriverKind : std::uint8_t {
    automatic,  // the fastest that the kernel allows
    epoll,      // epoll(7)
    uring,      // io_uring(7); refused until the driver exists
};

// How accepted connections are spread over the loops. Unix listeners are never sharded.
enum class Balance : std::uint8_t {
    sharded,      // a listener per loop (SO_REUSEPORT, socket(7)); the kernel spreads
    round_robin,  // listener i is accepted by loop i mod N and hands connections on in turn
};

struct Options {
    // ── Loops ────────────────────────────────────────────────────────────────────────────────
    unsigned loops = 0;  // 0: the CPUs of the affinity mask, at most the cgroup's quota; max 255
    DriverKind driver = DriverKind::automatic;
    Balance balance = Balance::sharded;

    // ── Listening ────────────────────────────────────────────────────────────────────────────
    int backlog = 4096;  // listen(2); the kernel clips it to somaxconn
    // Open connections, all loops together; accepting pauses at the limit, clients wait in the
    // backlog. Each listener of each loop may pass it by one. 0: what the descriptor limit
    // allows, less a reserve.
    std::size_t connections_max = 0;
    bool no_delay = true;  // TCP_NODELAY, tcp(7)

    // ── Per connection ───────────────────────────────────────────────────────────────────────
    std::size_t output_high = 1U << 20U;   // bytes queued: reading pauses, write says over_high
    std::size_t output_low = 256U << 10U;  // bytes queued: reading resumes, on_writable
    std::size_t output_max = 16U << 20U;   // bytes queued: a write past it is refused
    std::size_t input_max = 16U << 20U;    // bytes unread: past it the connection is closed
    Duration idle_timeout{0};              // nothing received and nothing sent; 0: none
    Duration linger = std::chrono::seconds{1};  // after our FIN: wait this long for the peer's

    // ── Fairness ─────────────────────────────────────────────────────────────────────────────
    std::size_t read_budget = 256U << 10U;  // bytes of one connection per iteration

    // ── Stopping ─────────────────────────────────────────────────────────────────────────────
    Duration drain = std::chrono::seconds{30};  // deadline of a stop that names none

    // ── Reporting ────────────────────────────────────────────────────────────────────────────
    Logger* logger = nullptr;  // null: default_logger()
};

}  // namespace berth
