// SPDX-License-Identifier: MIT
//
// What the kernel tells about sockets that are not ours to ask: sock_diag(7) and proc(5).
//
// Lifetime:  values, true when they were taken.

#pragma once

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

namespace berth::driver {

// Numbers of the kernel (tcp_states.h); a handshake in flight may show as either SYN_RECV.
enum class SocketState : std::uint8_t {
    established = 1,
    syn_sent = 2,
    syn_received = 3,
    fin_wait1 = 4,
    fin_wait2 = 5,
    time_wait = 6,
    closed = 7,
    close_wait = 8,
    last_ack = 9,
    listening = 10,
    closing = 11,
    new_syn_received = 12,
    bound_inactive = 13,  // bound, neither listening nor connected; since Linux 6.7 in sock_diag
};

// A set of states, as sock_diag takes it.
struct SocketStates {
    std::uint32_t bits = 0xffffffff;  // all

    static constexpr SocketStates of(std::initializer_list<SocketState> states) {
        SocketStates set{.bits = 0};
        for (const SocketState state : states) set.bits |= 1U << static_cast<unsigned>(state);
        return set;
    }
    constexpr bool has(SocketState state) const {
        return (bits >> static_cast<unsigned>(state) & 1U) != 0;
    }
};

// One TCP or UDP socket of this network namespace.
struct SocketRow {
    SocketState state = SocketState::closed;
    IpEndpoint local;
    IpEndpoint peer;  // family 0: none
    bool is_v6_only = false;
    std::uint32_t uid = 0;
    std::uint64_t inode = 0;          // 0: nobody's: TIME_WAIT, SYN_RECV, an orphan
    std::uint32_t receive_queue = 0;  // bytes; listening: connections waiting to be accepted
    std::uint32_t send_queue = 0;     // bytes; listening: the backlog
    Duration timer{};                 // what its timer has left; 0: none runs
};

struct UnixRow {
    std::string name;  // path, or "@…"
    bool is_listening = false;
    std::uint16_t type = 0;  // SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
    std::uint64_t inode = 0;
    std::uint32_t uid = 0;
    // The file that its name was bound to, as PathFacts counts it; 0: not told.
    std::uint64_t file_device = 0;
    std::uint64_t file_inode = 0;
};

struct PortRange {
    std::uint16_t first = 32'768;
    std::uint16_t last = 60'999;

    constexpr bool has(std::uint16_t port) const { return port >= first && port <= last; }
};

// A descriptor of a process that refers to a socket.
struct SocketHolder {
    std::int64_t pid = 0;
    std::int64_t parent = 0;
    int fd = -1;
    std::uint64_t inode = 0;
    std::uint32_t uid = 0;
    std::string command;
    std::string executable;                                      // empty: not ours to read
    std::optional<std::chrono::system_clock::time_point> since;  // start of the process
};

// Who is at the other end of a Unix socket: SO_PEERCRED, unix(7).
struct PeerCredentials {
    std::int64_t pid = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

}  // namespace berth::driver
