// SPDX-License-Identifier: MIT
//
// Options: every bound and choice of an engine, each with a safe default.
//
//     berth::run(handler, "tcp://:9000", {.loops = 4, .idle_timeout = 60s});
//
// Lifetime:  copied when the engine is made; `logger` and `resolver` must outlive the engine.
// Errors:    a value out of range fails start() with ErrorCode::invalid_option and its name.

#pragma once

#include <berth/clock.hpp>
#include <berth/datagram_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace berth {

class Logger;
class Resolver;

enum class DriverKind : std::uint8_t {
    automatic,  // epoll, until io_uring is measured to be ahead everywhere
    epoll,      // epoll(7)
    uring,      // io_uring(7), of Linux 6.0 or newer; refused where the kernel does not allow it
};

// How accepted connections are spread over the loops. With all but `sharded`, listener i is
// accepted by loop i mod N, which hands connections on. docs/guides/balancing.md
enum class Balance : std::uint8_t {
    sharded,            // a listener per loop (SO_REUSEPORT, socket(7)); the kernel spreads. Unix
                        // listeners cannot be sharded: their peers are spread round robin
    round_robin,        // to each loop in turn
    least_connections,  // to the loop that has fewest, those on their way to it among them
    source_hash,  // by the peer's address without its port: one client, one loop, for the run.
                  // Unix peers have no address: round robin
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
    bool pin_loops = false;  // loop i on the i-th CPU of the affinity mask, sched(7)
    std::string thread_name =
        "berth";  // loops are called berth-0, berth-1, …; pthread_setname_np(3)

    // ── Listening ────────────────────────────────────────────────────────────────────────────
    int backlog = 4096;  // listen(2); the kernel clips it to somaxconn
    // Open connections, all loops together; accepting pauses at the limit, clients wait in the
    // backlog. Each listener of each loop may pass it by one. 0: what the descriptor limit
    // allows, less a reserve.
    std::size_t connections_max = 0;
    // Who comes on top of the following is sent away in order, and counted (Refusal, snapshot.hpp).
    std::size_t listener_connections_max = 0;  // open, accepted on one listener; 0: no bound
    std::size_t address_connections_max = 0;   // open, of one client: an IPv4 address or an IPv6
                                               // /64; 0: no bound. Unix peers have no address
    std::size_t accept_rate_max = 0;           // per second, all listeners together; 0: no bound
    std::size_t accept_burst_max = 0;          // at once; 0: as many as in a second
    // Others may listen on the same port if they say so, too: who connects gets to one of them.
    // Not the exclusive start that is berth's rule. Nothing on Unix sockets.
    bool share_port = false;  // SO_REUSEPORT, socket(7); the same user only
    // TCP and UDP listeners hear by this interface alone; empty: by all. SO_BINDTODEVICE,
    // socket(7).
    std::string device{};
    std::optional<std::uint32_t> unix_mode{};  // of Unix paths, like 0660; unset: the umask's
    bool no_delay = true;                      // TCP_NODELAY, tcp(7)
    // Of each connection, accepted or opened; 0: as the kernel has it, or not at all.
    Duration keepalive_idle{0};      // silence, then probes: SO_KEEPALIVE, TCP_KEEPIDLE; 0: none
    Duration keepalive_interval{0};  // between probes: TCP_KEEPINTVL
    unsigned keepalive_count = 0;    // unanswered probes, then the peer is gone: TCP_KEEPCNT
    Duration user_timeout{0};        // sent bytes without acknowledgement: TCP_USER_TIMEOUT
    std::size_t receive_buffer = 0;  // bytes in the kernel: SO_RCVBUF, socket(7)
    std::size_t send_buffer = 0;     // SO_SNDBUF

    // Bytes queued for peers and unread from them, of all connections together. From three
    // quarters of it on, who has output waiting is not read; past it, whoever needs more is reset.
    // Each loop may hold up to 256 KiB of it in reserve. 0: no bound.
    std::size_t memory_max = 0;

    // ── Per connection ───────────────────────────────────────────────────────────────────────
    std::size_t output_high = 1U << 20U;   // bytes queued: reading pauses, write says over_high
    std::size_t output_low = 256U << 10U;  // bytes queued: reading resumes, on_writable
    std::size_t output_max = 16U << 20U;   // bytes queued: a write past it is refused
    std::size_t input_max = 16U << 20U;    // bytes unread: past it the connection is closed
    std::size_t not_sent_max =
        256U << 10U;           // TCP_NOTSENT_LOWAT, tcp(7): unsent in the kernel; 0: no bound
    Duration idle_timeout{0};  // nothing received and nothing sent; 0: none
    Duration read_timeout{0};  // nothing received, while it may be; 0: none
    // Output waits, and the kernel takes none of it: the peer does not read. 0: for ever.
    Duration write_stall_timeout = std::chrono::seconds{30};
    Duration lifetime_max{0};  // from its beginning, up to an eighth earlier; 0: none
    Duration linger =
        std::chrono::seconds{1};  // silence after our FIN was acknowledged; then close

    // ── Datagrams ────────────────────────────────────────────────────────────────────────────
    std::size_t datagram_max = 64U << 10U;  // bytes of one; a longer one comes cut, and says so
    DatagramOptions datagrams{};            // of the udp listeners that start() opens

    // ── Unix sockets ─────────────────────────────────────────────────────────────────────────
    std::size_t packet_max = 256U << 10U;  // bytes of one received packet (unixpacket:); a longer
                                           // one closes its connection: inbound_overflow
    // Descriptors may go with the bytes of connections accepted on Unix listeners, and with adopted
    // packets (Connection::write_with): so many at most wait to be taken. 0: none. At most 253.
    std::size_t descriptors_max = 0;

    // ── Dialling ─────────────────────────────────────────────────────────────────────────────
    Resolver* resolver = nullptr;  // of names; null: a SystemResolver of the engine's own

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
