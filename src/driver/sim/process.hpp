// SPDX-License-Identifier: MIT
//
// Process: a table of descriptors in a simulated kernel, and the calls that a process makes.
//
// Each is the system call of that name with non-blocking, close-on-exec sockets. Descriptors are
// the lowest free numbers from 3 on, as in Linux.
//
// Where it is: sockets, descriptors and paths in process.cpp, what a process sees of others in
// process_sight.cpp, what it sends them in process_message.cpp.
//
// Lifetime:  its end closes what is open, as exit(2) does, and SIGKILL.
// Threads:   one.
// Errors:    an errno, as the man page of the call gives it.

#pragma once

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace berth::driver::sim {

class DescriptorTable;
class Kernel;
enum class Filter : std::uint8_t;  // socket.hpp

enum class Family : std::uint8_t { v4, v6, local };
enum class Kind : std::uint8_t { stream, datagram, packet };  // packet: SOCK_SEQPACKET
enum class Shut : std::uint8_t { reading, sending, both };

// poll(2), of one descriptor.
struct Readiness {
    bool readable = false;    // POLLIN: bytes, a FIN, an error, or somebody to accept
    bool writable = false;    // POLLOUT
    bool peer_ended = false;  // POLLRDHUP
    bool hung_up = false;     // POLLHUP
    bool failed = false;      // POLLERR
    friend bool operator==(const Readiness&, const Readiness&) = default;
};

struct Datagram {
    std::size_t size = 0;  // of what was written into the caller's memory
    bool truncated = false;
    Endpoint from;
    IpEndpoint to = {};         // the address it was sent to
    std::uint32_t dropped = 0;  // by this socket, so far: SO_RXQ_OVFL
};

// Who a process is, and what it may do.
struct Identity {
    std::uint32_t uid = 0;
    bool is_net_admin = true;  // CAP_NET_ADMIN: may filter TCP
    std::string command = "berth";
};

class Process {
public:
    static constexpr std::size_t kDescriptorsMax = 1024;

    explicit Process(Kernel& kernel, std::size_t descriptors_max = kDescriptorsMax,
                     Identity identity = {});
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    Kernel& kernel() const { return kernel_; }
    std::int64_t id() const { return id_; }
    const Identity& identity() const { return identity_; }

    // ── Sockets ──────────────────────────────────────────────────────────────────────────────
    Outcome<Descriptor> socket(Family family, Kind kind);
    Outcome<void> bind(Descriptor socket, const Endpoint& endpoint);
    Outcome<void> listen(Descriptor socket, int backlog);
    // EINPROGRESS: it was begun. On a calm day a TCP connect to loopback succeeds at once for
    // the kernel, and still says EINPROGRESS, as Linux does.
    Outcome<void> connect(Descriptor socket, const Endpoint& endpoint);
    Outcome<Accepted> accept(Descriptor listener);
    Outcome<std::size_t> send(Descriptor socket, Bytes bytes);
    Outcome<std::size_t> receive(Descriptor socket, std::span<std::byte> into);  // 0: FIN
    Outcome<std::size_t> send_to(Descriptor socket, const Endpoint& endpoint, Bytes bytes);
    Outcome<Datagram> receive_from(Descriptor socket, std::span<std::byte> into);
    Outcome<void> shutdown(Descriptor socket, Shut what);
    Outcome<void> disconnect(Descriptor socket);  // connect(2), AF_UNSPEC
    void close(Descriptor descriptor);

    Outcome<void> set(Descriptor socket, SocketOption option, int value);
    int take_error(Descriptor socket);  // SO_ERROR: told once
    Outcome<Endpoint> local_endpoint(Descriptor socket, Scheme scheme);
    Outcome<Endpoint> peer_endpoint(Descriptor socket, Scheme scheme);
    Outcome<std::size_t> unacknowledged(Descriptor socket);  // SIOCOUTQ
    Outcome<std::size_t> never_sent(Descriptor socket);      // SIOCOUTQNSD
    // SO_ATTACH_FILTER, as System has it. EPERM: TCP, and not net_admin.
    Outcome<void> drop_handshakes(Descriptor socket);
    Outcome<void> drop_everything(Descriptor socket);
    Outcome<void> remove_filter(Descriptor socket);
    Outcome<void> require_ttl(Descriptor socket, int least);
    Readiness readiness(Descriptor socket) const;  // costs no time, lets nobody act
    Family family_of(Descriptor socket) const;

    // ── Descriptors ──────────────────────────────────────────────────────────────────────────
    Outcome<Descriptor> open_nothing();  // as an eventfd: stands for no socket
    std::size_t descriptors_open() const;
    std::size_t descriptors_max() const;
    void limit_descriptors(std::size_t max);  // RLIMIT_NOFILE: from now on, EMFILE above it
    Outcome<Descriptor> duplicate(Descriptor descriptor);

    // ── Seeing sockets, as System has it ─────────────────────────────────────────────────────
    Outcome<std::vector<SocketRow>> sockets(Scheme scheme, std::uint16_t port, SocketStates states);
    Outcome<std::vector<UnixRow>> unix_sockets(const std::string& name);
    std::vector<SocketHolder> holders(std::span<const std::uint64_t> inodes);
    Outcome<std::uint64_t> inode(Descriptor descriptor);
    Outcome<PeerCredentials> peer_credentials(Descriptor socket);

    // ── Messages, as System has it ───────────────────────────────────────────────────────────
    Outcome<std::pair<Descriptor, Descriptor>> message_pair();
    Outcome<void> send_message(Descriptor socket, Bytes bytes, std::span<const Descriptor> attach);
    Outcome<Message> receive_message(Descriptor socket, MutableBytes into);

    // ── Unix paths ───────────────────────────────────────────────────────────────────────────
    Outcome<Descriptor> lock_directory_of(const std::string& path);
    Outcome<PathFacts> inspect(const std::string& path);
    Outcome<bool> path_has_owner(const std::string& path);
    Outcome<void> unlink(const std::string& path);
    Outcome<void> rename(const std::string& from, const std::string& to);
    Outcome<void> permit(const std::string& path);

private:
    // One call: others act first, and what it causes happens before it returns.
    template <class Act>
    auto call(Act act);
    // The same, of one socket: EBADF, ENOTSOCK.
    template <class Ask>
    auto call(Descriptor socket, Ask ask);

    PeerCredentials credentials() const;
    Outcome<void> attach(Descriptor socket, Filter filter);
    void list_sockets(std::span<const std::uint64_t> inodes,
                      std::vector<SocketHolder>& holders) const;

    Kernel& kernel_;
    Identity identity_;
    Instant began_;
    std::int64_t id_;
    std::unique_ptr<DescriptorTable> table_;
};

}  // namespace berth::driver::sim
