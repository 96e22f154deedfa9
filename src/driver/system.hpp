// SPDX-License-Identifier: MIT
//
// System: the second half of the seam: every synchronous kernel call, the clock and chance.
//
// net/ and engine/ reach the kernel through this and the driver, never through os/. The real
// drivers share one (kernel_system.hpp); each simulated world has its own.
//
// Lifetime:  outlives every driver and engine made with it.
// Threads:   any thread. No call blocks.
// Errors:    an errno, as the man page of the call gives it. EINTR is retried inside.

#pragma once

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace berth::driver {

using base::Outcome;

enum class SocketOption : std::uint8_t {
    reuse_address,   // SO_REUSEADDR, socket(7)
    reuse_port,      // SO_REUSEPORT
    v6_only,         // IPV6_V6ONLY, ipv6(7)
    no_delay,        // TCP_NODELAY, tcp(7)
    linger_reset,    // SO_LINGER {1, value}: with 0, close sends RST
    receive_buffer,  // SO_RCVBUF
    send_buffer,     // SO_SNDBUF
    not_sent_low,    // TCP_NOTSENT_LOWAT
    user_timeout,    // TCP_USER_TIMEOUT, milliseconds
};

struct Accepted {
    Descriptor descriptor = Descriptor::none;
    IpEndpoint peer;  // family 0: Unix
};

// What lies at a Unix path (lstat(2)); `id` tells one file from the next at the same path.
struct PathFacts {
    enum class Kind : std::uint8_t { missing, socket, other };
    Kind kind = Kind::missing;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    friend bool operator==(const PathFacts&, const PathFacts&) = default;
};

class System {
public:
    virtual ~System() = default;

    virtual Instant now() = 0;  // CLOCK_MONOTONIC
    virtual std::uint64_t random() = 0;

    // socket(2): non-blocking, close-on-exec. The family comes from the endpoint, and so does
    // IPV6_V6ONLY, which is set either way. Without IPv6 a dual-stack endpoint gets an IPv4 socket.
    virtual Outcome<Descriptor> open_socket(const Endpoint& endpoint) = 0;
    virtual Outcome<void> bind(Descriptor socket, const Endpoint& endpoint) = 0;
    virtual Outcome<void> listen(Descriptor socket, int backlog) = 0;
    // accept4(2), for a listener that no driver is accepting on.
    virtual Outcome<Accepted> accept(Descriptor listener) = 0;
    virtual Outcome<void> set(Descriptor socket, SocketOption option, int value) = 0;
    // getsockname(2), getpeername(2); `scheme` is what the endpoint is printed with.
    virtual Outcome<Endpoint> local_endpoint(Descriptor socket, Scheme scheme) = 0;
    virtual Outcome<Endpoint> peer_endpoint(Descriptor socket, Scheme scheme) = 0;
    // SHUT_RDWR on a listener: ends it for every copy of the socket, shutdown(2).
    virtual void shutdown(Descriptor socket) = 0;
    // Only for descriptors without an operation in flight; a stream's goes through its driver.
    virtual void close(Descriptor descriptor) = 0;
    // SIOCOUTQ, tcp(7): bytes, and a FIN, that the peer's kernel has not acknowledged. TCP only:
    // what is sent on a Unix socket is with the peer at once.
    virtual Outcome<std::size_t> unacknowledged(Descriptor socket) = 0;
    // The part of those that was never sent: SIOCOUTQNSD. TCP only.
    virtual Outcome<std::size_t> never_sent(Descriptor socket) = 0;

    // A descriptor that stands for nothing, held in reserve against EMFILE.
    virtual Outcome<Descriptor> open_reserve() = 0;
    virtual std::size_t descriptor_limit() = 0;  // RLIMIT_NOFILE, getrlimit(2)
    virtual std::size_t descriptors_open() = 0;  // of this process; 0 when it cannot be told

    // ── Unix paths ───────────────────────────────────────────────────────────────────────────
    // Advisory lock on the directory of `path`: berth processes replace paths one at a time.
    // Returns a descriptor; close() unlocks. Non-blocking: EWOULDBLOCK when another holds it.
    virtual Outcome<Descriptor> lock_directory_of(const std::string& path) = 0;
    virtual Outcome<PathFacts> inspect(const std::string& path) = 0;
    // Does a socket still stand behind the path? Asked by connecting with the wrong socket type:
    // ECONNREFUSED means nobody, EPROTOTYPE somebody; no handshake is ever completed.
    virtual Outcome<bool> path_has_owner(const std::string& path) = 0;
    virtual Outcome<void> unlink(const std::string& path) = 0;
};

}  // namespace berth::driver
