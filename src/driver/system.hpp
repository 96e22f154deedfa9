// SPDX-License-Identifier: MIT
//
// System: the second half of the seam: every synchronous kernel call, the clock and chance.
//
// net/ and engine/ reach the kernel through this and the driver, never through os/. The real
// drivers share one (kernel_system.hpp); each simulated world has its own.
//
// Lifetime:  outlives every driver and engine made with it.
// Threads:   any thread. No call blocks.
// Errors:    an errno, as the man page of the call gives it. EINTR is retried inside. The calls
//            that are not pure say EOPNOTSUPP where a world does not have them; who calls them
//            has another way.

#pragma once

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/socket_rows.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

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
    orphan_timeout,  // TCP_LINGER2, seconds: of FIN_WAIT2 without an owner
    late_port,       // IP_BIND_ADDRESS_NO_PORT, ip(7): bind leaves a port 0 to connect
    keep_alive,      // SO_KEEPALIVE, socket(7)
    keep_idle,       // TCP_KEEPIDLE, seconds
    keep_interval,   // TCP_KEEPINTVL, seconds
    keep_count,      // TCP_KEEPCNT
    // Of datagram sockets:
    tell_destination,  // IP_PKTINFO, IPV6_RECVPKTINFO: whom each datagram was sent to
    count_drops,       // SO_RXQ_OVFL
    broadcast,         // SO_BROADCAST
    // Of both families where the socket has both:
    multicast_all,        // IP_MULTICAST_ALL: hears groups that other sockets have joined
    multicast_loop,       // IP_MULTICAST_LOOP
    multicast_hops,       // IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS
    multicast_interface,  // IP_MULTICAST_IF, an index
    merge,                // UDP_GRO
};

struct Accepted {
    Descriptor descriptor = Descriptor::none;
    IpEndpoint peer;  // family 0: Unix
};

// One message of a Unix SOCK_SEQPACKET socket, with the descriptors that came along.
struct Message {
    std::size_t size = 0;  // 0: the peer is gone
    std::vector<Descriptor> attached;
};

// What came of a packet, or of a stream.
struct ReceivedPart {
    std::size_t size = 0;        // 0: the peer's end
    bool is_cut = false;         // the packet was longer than the room for it
    bool lost_attached = false;  // descriptors came with it that could not be let in
};

// What lies at a Unix path (lstat(2)); `id` tells one file from the next at the same path.
struct PathFacts {
    enum class Kind : std::uint8_t { missing, socket, other };
    Kind kind = Kind::missing;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    friend bool operator==(const PathFacts&, const PathFacts&) = default;
};

struct PipeEnds {
    Descriptor reader = Descriptor::none;
    Descriptor writer = Descriptor::none;
};

// From one socket to another, through a pipe that is empty.
struct SpliceWay {
    Descriptor from = Descriptor::none;
    PipeEnds pipe;
    Descriptor to = Descriptor::none;
};

struct Spliced {
    std::size_t taken = 0;  // from the one socket; 0: its peer's FIN
    std::size_t sent = 0;   // to the other; what is between is in the pipe
    int send_errno = 0;     // why that is not all
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

    // ── Listeners that are about to close ────────────────────────────────────────────────────
    // SO_ATTACH_FILTER, socket(7). Drops each packet that would begin a connection, and lets
    // those of handshakes under way pass. EPERM: needs CAP_NET_ADMIN (on TCP, newer kernels).
    // Sockets accepted from then on inherit it.
    virtual Outcome<void> drop_handshakes(Descriptor) { return base::failed(EOPNOTSUPP); }
    // Drops every packet: who listens behind it meets nobody.
    virtual Outcome<void> drop_everything(Descriptor) { return base::failed(EOPNOTSUPP); }
    virtual Outcome<void> remove_filter(Descriptor) { return base::failed(EOPNOTSUPP); }
    // IP_MINTTL, ip(7), and IPV6_MINHOPCOUNT: drops packets that come with a lower TTL, and lets
    // those of handshakes under way pass. Needs no privilege. Sockets accepted from then on
    // inherit it. 0: none.
    virtual Outcome<void> require_ttl(Descriptor, int) { return base::failed(EOPNOTSUPP); }
    // connect(2), non-blocking: EINPROGRESS is an error like others.
    virtual Outcome<void> connect(Descriptor, const Endpoint&) { return base::failed(EOPNOTSUPP); }
    // bind(2) of a Unix socket to an abstract name that nobody has: autobind, unix(7).
    virtual Outcome<void> bind_to_any_name(Descriptor) { return base::failed(EOPNOTSUPP); }

    // ── Networks ─────────────────────────────────────────────────────────────────────────────
    // By its name; ENODEV: there is none.
    virtual Outcome<std::uint32_t> interface_index(const std::string&) {
        return base::failed(EOPNOTSUPP);
    }
    // MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, by an interface's index; 0: the kernel chooses.
    // EADDRINUSE: it has joined already; EADDRNOTAVAIL: it has not; ENODEV: no such interface.
    virtual Outcome<void> join_group(Descriptor, const IpEndpoint&, std::uint32_t) {
        return base::failed(EOPNOTSUPP);
    }
    virtual Outcome<void> leave_group(Descriptor, const IpEndpoint&, std::uint32_t) {
        return base::failed(EOPNOTSUPP);
    }
    // SO_BINDTODEVICE, socket(7). ENODEV; EPERM: needs CAP_NET_RAW (before Linux 5.7, or where it
    // is bound to another already).
    virtual Outcome<void> bind_to_device(Descriptor, const std::string&) {
        return base::failed(EOPNOTSUPP);
    }

    // ── Seeing sockets ───────────────────────────────────────────────────────────────────────
    // Those of this network namespace with that local port and one of those states, of all
    // users. sock_diag(7); `scheme` tells TCP from UDP.
    virtual Outcome<std::vector<SocketRow>> sockets(Scheme, std::uint16_t, SocketStates = {}) {
        return base::failed(EOPNOTSUPP);
    }
    virtual Outcome<std::vector<UnixRow>> unix_sockets(const std::string&) {
        return base::failed(EOPNOTSUPP);
    }
    // Who has one of these inodes open, as far as this user may see: /proc/PID/fd.
    virtual std::vector<SocketHolder> holders(std::span<const std::uint64_t>) { return {}; }
    virtual std::int64_t process_id() { return 0; }
    virtual std::uint32_t user_id() { return 0; }  // effective
    // Of /etc/passwd; empty: it has none.
    virtual std::string user_name(std::uint32_t) { return {}; }
    // Where outgoing connections get their source port: ip_local_port_range, ip(7).
    virtual PortRange ephemeral_ports() { return {}; }
    virtual std::int64_t thread_id() { return 0; }  // of the caller: gettid(2)
    // Between two looks at what others have to do first: sched_yield(2).
    virtual void let_others_run() {}
    // Of the caller. 15 characters at most: prctl(2), PR_SET_NAME.
    virtual Outcome<void> name_thread(const std::string&) { return base::failed(EOPNOTSUPP); }
    // To the n-th CPU of its affinity mask, round and round: sched_setaffinity(2).
    virtual Outcome<void> pin_thread(std::size_t) { return base::failed(EOPNOTSUPP); }

    // ── Descriptors that travel: Unix SOCK_SEQPACKET, unix(7) ────────────────────────────────
    // All or nothing; EAGAIN: later. At most kAttachedMax descriptors, which stay the caller's.
    static constexpr std::size_t kAttachedMax = 253;  // SCM_MAX_FD
    virtual Outcome<void> send_message(Descriptor, Bytes, std::span<const Descriptor>) {
        return base::failed(EOPNOTSUPP);
    }
    // One whole message. What came along is close-on-exec and the caller's. EMSGSIZE: it did not
    // fit, or descriptors were lost (MSG_TRUNC, MSG_CTRUNC); those that came are closed.
    virtual Outcome<Message> receive_message(Descriptor, MutableBytes) {
        return base::failed(EOPNOTSUPP);
    }
    // The same of any Unix connection, bounds or not: what comes along is added to `attached`, at
    // most `attached_max`. More than that, or than this process may have, is lost, and said so.
    struct Attached {
        std::vector<Descriptor>& attached;
        std::size_t attached_max;
    };
    virtual Outcome<ReceivedPart> receive_part(Descriptor, MutableBytes, const Attached&) {
        return base::failed(EOPNOTSUPP);
    }
    // How many bytes; a packet goes whole. EMSGSIZE: it is longer than packet_max.
    virtual Outcome<std::size_t> send_part(Descriptor, Bytes, std::span<const Descriptor>) {
        return base::failed(EOPNOTSUPP);
    }
    virtual Outcome<std::size_t> packet_max(Descriptor) { return base::failed(EOPNOTSUPP); }
    virtual Outcome<std::pair<Descriptor, Descriptor>> message_pair() {  // socketpair(2)
        return base::failed(EOPNOTSUPP);
    }
    virtual Outcome<PeerCredentials> peer_credentials(Descriptor) {  // SO_PEERCRED
        return base::failed(EOPNOTSUPP);
    }
    virtual Outcome<Descriptor> duplicate(Descriptor) {  // F_DUPFD_CLOEXEC, fcntl(2)
        return base::failed(EOPNOTSUPP);
    }
    // sendfile(2): how many bytes the socket took. 0: the file ends at the offset. EAGAIN: the
    // socket is full. EINVAL: not from such a file. Raises no SIGPIPE.
    struct FilePiece {
        Descriptor file = Descriptor::none;
        std::uint64_t offset = 0;
        std::size_t count = 0;
    };
    virtual Outcome<std::size_t> send_file(Descriptor, const FilePiece&) {
        return base::failed(EOPNOTSUPP);
    }
    // pread(2): how many bytes there were.
    virtual Outcome<std::size_t> read_file(Descriptor, MutableBytes, std::uint64_t) {
        return base::failed(EOPNOTSUPP);
    }
    // splice(2), twice; EAGAIN: the one socket has nothing. Raises no SIGPIPE. The pipe holds at
    // least kPipeBytes, and nothing of it waits.
    static constexpr std::size_t kPipeBytes = 64U << 10U;
    virtual Outcome<PipeEnds> open_pipe() { return base::failed(EOPNOTSUPP); }
    virtual Outcome<Spliced> splice(const SpliceWay&, std::size_t) {
        return base::failed(EOPNOTSUPP);
    }
    virtual Outcome<std::size_t> read_pipe(Descriptor, MutableBytes) {
        return base::failed(EOPNOTSUPP);
    }
    // Makes a connected socket from outside, of a stream or of Unix packets, one of ours:
    // non-blocking, close-on-exec. Its peer, with the scheme that tells which. EBADF: not open;
    // ENOTSOCK; EPROTOTYPE: of datagrams; ESOCKTNOSUPPORT: of another kind; EINVAL: it listens;
    // ENOTCONN.
    virtual Outcome<Endpoint> adopt(Descriptor) { return base::failed(EOPNOTSUPP); }
    // The inode that rows know a socket by: fstat(2).
    virtual Outcome<std::uint64_t> inode(Descriptor) { return base::failed(EOPNOTSUPP); }

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
    // rename(2): replaces what is at `to`, atomically.
    virtual Outcome<void> rename(const std::string&, const std::string&) {
        return base::failed(EOPNOTSUPP);
    }
    virtual Outcome<void> permit(const std::string&, std::uint32_t) {  // chmod(2)
        return base::failed(EOPNOTSUPP);
    }
};

}  // namespace berth::driver
