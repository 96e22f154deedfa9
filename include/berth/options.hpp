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
#include <optional>
#include <string>

namespace berth {

class Logger;

enum class DriverKind : std::uint8_t {
    automatic,  // epoll, until io_uring is measured to be ahead everywhere
    epoll,      // epoll(7)
    uring,      // io_uring(7), of Linux 6.0 or newer; refused where the kernel does not allow it
};

// How accepted connections are spread over the loops. Unix listeners are never sharded.
enum class Balance : std::uint8_t {
    sharded,      // a listener per loop (SO_REUSEPORT, socket(7)); the kernel spreads
    round_robin,  // listener i is accepted by loop i mod N and hands connections on in turn
};

// What becomes of a client that is accepted after the stop was requested.
enum class LateAccept : std::uint8_t {
    serve,   // on_open, on_drain; its first request is served
    refuse,  // FIN after what it had sent was read, and counted
};

struct Options {
    // ── Loops ────────────────────────────────────────────────────────────────────────────────
    unsigned loops = 0;  // 0: the CPUs of the affinity mask, at most the cgroup's quota; max 255
    DriverKind driver = DriverKind::automatic;
    Balance balance = Balance::sharded;
    // How long a loop goes on looking for events before it sleeps, where its last waits were no
    // longer: lower latency for CPU time. 0: not at all; at most 10 ms.
    Duration busy_poll{0};

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
    std::size_t not_sent_max =
        256U << 10U;           // TCP_NOTSENT_LOWAT, tcp(7): unsent in the kernel; 0: no bound
    Duration idle_timeout{0};  // nothing received and nothing sent; 0: none
    Duration linger =
        std::chrono::seconds{1};  // silence after our FIN was acknowledged; then close

    // ── Fairness ─────────────────────────────────────────────────────────────────────────────
    std::size_t read_budget = 256U << 10U;  // bytes of one connection per iteration

    // ── Stopping ─────────────────────────────────────────────────────────────────────────────
    Duration drain = std::chrono::seconds{30};  // deadline of a stop that names none
    // Goes on accepting for so long after a stop was requested, while it is already not ready:
    // load balancers need time to see that. Unset: 0; berth::run makes it 5 s under Kubernetes.
    std::optional<Duration> lame_duck{};
    Duration quiesce_max = std::chrono::milliseconds{250};  // emptying the listeners' queues
    Duration spread{0};  // on_drain reaches the last connection after so long, with jitter
    Duration first_request_grace = std::chrono::seconds{1};  // from the accept, before our FIN
    LateAccept late_accept = LateAccept::serve;
    std::size_t send_rate_min = 0;  // bytes per second while draining; a slower peer is reset
    std::size_t linger_bytes_max = 16U << 20U;  // read and dropped after our FIN; past it: reset
    bool verify = true;                         // try the addresses at the end

    // ── Handing over ─────────────────────────────────────────────────────────────────────────
    // A Unix path: who starts with the same path takes the listeners over from who runs. Empty:
    // none. docs/guides/hot-restart.md
    std::string handover{};
    Duration probation = std::chrono::seconds{10};  // the old one can resume if the new one dies
    Duration handover_timeout = std::chrono::seconds{10};  // of one step of the protocol

    // ── Reporting ────────────────────────────────────────────────────────────────────────────
    Logger* logger = nullptr;  // null: default_logger()
};

}  // namespace berth
