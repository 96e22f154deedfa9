// SPDX-License-Identifier: MIT
//
// calls: the system calls that berth makes, one function each. Beside them: filter.hpp and
// message.hpp for two subjects of their own; nothing bypasses raw_call.
//
// The first group runs per message: inline, a raw long, negative errno (raw_call.hpp). They never
// wait, so that no signal interrupts them. The rest returns an Outcome; where a signal may
// interrupt a call and the man page allows it, it is repeated.
//
// Threads:   any thread.
// Errors:    an errno, as the man page of the call gives it.

#pragma once

#include "base/outcome.hpp"
#include "os/raw_call.hpp"
#include "os/socket_address.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX, not C++
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime is POSIX, not C++

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace berth::os {

using base::Outcome;

// ── Per message ──────────────────────────────────────────────────────────────────────────────

// recvfrom(2): how many bytes; 0 is the peer's FIN. Without an address its length is not looked
// at, here and below.
inline long recv_bytes(int socket, void* into, std::size_t size) {
    return raw_call(Call::receive, socket, into, size, MSG_DONTWAIT, nullptr);
}

// sendto(2): how many bytes the kernel took.
inline long send_bytes(int socket, const void* bytes, std::size_t size) {
    return raw_call(Call::send, socket, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, nullptr);
}

// sendmsg(2): how many bytes of the first kSlicesMax slices the kernel took.
inline constexpr std::size_t kSlicesMax = 64;
long send_slices(int socket, std::span<const Bytes> slices);

// accept4(2): a non-blocking, close-on-exec descriptor.
inline long accept_socket(int listener, SocketAddress& peer) {
    return raw_call(Call::accept, listener, peer.room(), peer.room_length(),
                    SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// getsockopt(2), TCP_INFO of a listener: how many clients wait to be accepted. A negative errno
// where it is not of TCP.
inline long count_waiting(int listener) {
    tcp_info told;
    socklen_t size = sizeof told;
    const long result = raw_call(Call::option, listener, IPPROTO_TCP, TCP_INFO, &told, &size);
    return result < 0 ? result : static_cast<long>(told.tcpi_unacked);
}

// For calls that take milliseconds: rounded up, never early; -1 waits for ever.
inline int timeout_milliseconds(Duration timeout) {
    if (timeout == kNever) return -1;
    const auto count = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    if (count <= 0) return 0;
    constexpr int kLongest = std::numeric_limits<int>::max();
    return count < kLongest ? static_cast<int>(count) : kLongest;
}

// epoll_pwait(2): how many events. An interrupting signal looks like the end of the wait.
inline long wait_events(int epoll, std::span<epoll_event> into, Duration timeout) {
    const long count = raw_call(Call::epoll_wait, epoll, into.data(), static_cast<int>(into.size()),
                                timeout_milliseconds(timeout), nullptr, 0);
    return count == -EINTR ? 0 : count;
}

// write(2) to an eventfd: any thread, also in a signal handler. It cannot fail: a counter that is
// full is readable all the same.
inline void raise_eventfd(int eventfd) {
    const std::uint64_t one = 1;
    raw_call(Call::raise, eventfd, &one, sizeof one);
}

// clock_gettime(2), CLOCK_MONOTONIC; no system call where the vDSO has it.
inline Duration monotonic_time() {
    timespec now;
    static_cast<void>(clock_gettime(CLOCK_MONOTONIC, &now));
    return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

// ── Sockets ──────────────────────────────────────────────────────────────────────────────────

// A name of setsockopt(2).
struct OptionName {
    int level;
    int name;
};
inline constexpr OptionName kReuseAddress{SOL_SOCKET, SO_REUSEADDR};
inline constexpr OptionName kReusePort{SOL_SOCKET, SO_REUSEPORT};
inline constexpr OptionName kReceiveBuffer{SOL_SOCKET, SO_RCVBUF};
inline constexpr OptionName kSendBuffer{SOL_SOCKET, SO_SNDBUF};
inline constexpr OptionName kLinger{SOL_SOCKET, SO_LINGER};
inline constexpr OptionName kPendingError{SOL_SOCKET, SO_ERROR};
inline constexpr OptionName kSocketFamily{SOL_SOCKET, SO_DOMAIN};
inline constexpr OptionName kV6Only{IPPROTO_IPV6, IPV6_V6ONLY};
inline constexpr OptionName kBroadcast{SOL_SOCKET, SO_BROADCAST};
inline constexpr OptionName kCountDrops{SOL_SOCKET, SO_RXQ_OVFL};
inline constexpr OptionName kTellDestination{IPPROTO_IP, IP_PKTINFO};
inline constexpr OptionName kTellDestination6{IPPROTO_IPV6, IPV6_RECVPKTINFO};
inline constexpr OptionName kMinTtl{IPPROTO_IP, IP_MINTTL};
inline constexpr OptionName kMinHopCount{IPPROTO_IPV6, IPV6_MINHOPCOUNT};
inline constexpr OptionName kLatePort{IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT};
inline constexpr OptionName kNoDelay{IPPROTO_TCP, TCP_NODELAY};
inline constexpr OptionName kNotSentLow{IPPROTO_TCP, TCP_NOTSENT_LOWAT};
inline constexpr OptionName kUserTimeout{IPPROTO_TCP, TCP_USER_TIMEOUT};
inline constexpr OptionName kOrphanTimeout{IPPROTO_TCP, TCP_LINGER2};
inline constexpr OptionName kKeepAlive{SOL_SOCKET, SO_KEEPALIVE};
inline constexpr OptionName kKeepIdle{IPPROTO_TCP, TCP_KEEPIDLE};
inline constexpr OptionName kKeepInterval{IPPROTO_TCP, TCP_KEEPINTVL};
inline constexpr OptionName kKeepCount{IPPROTO_TCP, TCP_KEEPCNT};

enum class Shutdown : std::uint8_t { sending, both };

// socket(2): non-blocking, close-on-exec.
Outcome<int> open_socket(int family, int type, int protocol = 0);
Outcome<void> bind(int socket, const SocketAddress& address);
Outcome<void> listen(int socket, int backlog);
Outcome<void> connect(int socket, const SocketAddress& address);
Outcome<void> disconnect(int socket);  // TCP: a reset for the peer, now: connect(2), AF_UNSPEC
Outcome<void> set_option(int socket, OptionName option, int value);
Outcome<void> set_linger(int socket, int seconds);  // SO_LINGER {1, seconds}
Outcome<int> option(int socket, OptionName option);
Outcome<SocketAddress> local_address(int socket);  // getsockname(2)
Outcome<SocketAddress> peer_address(int socket);   // getpeername(2)
Outcome<void> shutdown(int socket, Shutdown what);
using Credentials = ucred;
Outcome<Credentials> peer_credentials(int socket);      // SO_PEERCRED, unix(7)
Outcome<std::size_t> unacknowledged_bytes(int socket);  // SIOCOUTQ, tcp(7)
Outcome<std::size_t> never_sent_bytes(int socket);      // SIOCOUTQNSD

// ── Descriptors ──────────────────────────────────────────────────────────────────────────────

// close(2). Its errors are not news: the descriptor is gone in every case.
void close(int descriptor);
Outcome<int> open_epoll();
Outcome<void> control_epoll(int epoll, int operation, int descriptor, epoll_event event);
Outcome<int> open_eventfd();
void lower_eventfd(int eventfd);
// ppoll(2): how many of `watched` are ready. Signals do not end the wait.
Outcome<std::size_t> wait_readable(std::span<pollfd> watched, Duration timeout);
Outcome<int> duplicate(int descriptor);           // fcntl(2), F_DUPFD_CLOEXEC
Outcome<std::uint64_t> inode_of(int descriptor);  // fstat(2)
std::size_t descriptor_limit();                   // prlimit(2), RLIMIT_NOFILE

// ── Files ────────────────────────────────────────────────────────────────────────────────────

struct FileFacts {
    bool is_socket = false;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};
Outcome<FileFacts> file_facts(const std::string& path);  // lstat(2)
Outcome<void> unlink(const std::string& path);
Outcome<void> rename(const std::string& from, const std::string& to);  // replaces `to`
Outcome<void> permit(const std::string& path, std::uint32_t mode);     // chmod(2)
Outcome<std::string> read_link(const std::string& path);               // readlink(2)
// `path` begins in `directory`.
Outcome<std::string> read_link(int directory, const std::string& path);
Outcome<int> open_directory(const std::string& path);
Outcome<void> lock_exclusively(int descriptor);  // flock(2); EWOULDBLOCK: another holds it
Outcome<std::string> read_file(const std::string& path);

// ── The process and its machine ──────────────────────────────────────────────────────────────

std::int64_t process_id();  // getpid(2)
std::int64_t thread_id();   // gettid(2)
std::uint32_t user_id();    // geteuid(2)
// sigaction(2): the previous action.
using SignalAction = struct sigaction;
Outcome<SignalAction> set_signal_action(int signal, const SignalAction& action);
// Of the calling thread, their numbers: sched_getaffinity(2).
Outcome<std::vector<unsigned>> affinity_cpus();
Outcome<void> run_on_cpu(unsigned cpu);              // the calling thread: sched_setaffinity(2)
Outcome<void> name_thread(const std::string& name);  // PR_SET_NAME: 15 bytes, the rest is cut
Outcome<std::uint64_t> random_number();              // getrandom(2)
// SIOCGIFINDEX and SIOCGIFNAME, netdevice(7). ENODEV: there is no such interface.
Outcome<std::uint32_t> interface_index(const std::string& name);
Outcome<std::string> interface_name(std::uint32_t index);

}  // namespace berth::os
