// SPDX-License-Identifier: MIT
//
// Claim: one socket that is in the way of a bind, and what kind of socket it is.
//
// The kernel refuses a bind for each socket that has the port, an address in common, and no
// permission to share. Listening sockets never share with a server that starts alone; whether
// the others do, the tables do not tell.
//
// See:       inet_csk_bind_conflict and ipv6_rcv_saddr_equal in the kernel;
//            docs/decisions/0004-exclusive-start.md.

#pragma once

#include "net/port_diagnosis_evidence.hpp"

#include <berth/clock.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace berth::net {

// In the order in which they explain a refusal.
enum class ClaimKind : std::uint8_t {
    listener,        // TCP and Unix
    receiver,        // datagrams: bound, and open to everybody
    self_connected,  // both ends are one
    bound,           // neither listens nor is connected
    connecting,      // SYN_SENT: an outgoing connection for certain
    outgoing,        // a connection that seems to have begun here
    served,          // a connection of somebody who seems to serve here
    leftover,        // a connection that nobody owns any more
};

struct Claim {
    ClaimKind kind = ClaimKind::listener;
    bool is_exact = true;    // its address is the wanted one, not one that includes it
    bool is_certain = true;  // the kind leaves no doubt
    std::uint64_t inode = 0;
    std::uint32_t uid = 0;
    std::uint32_t zone = 0;
    bool expires = false;  // goes away by itself when its timer ends
    Duration timer{};
    Endpoint local;
};

// Would a socket bound to `wanted` have an address in common with this one? Ports apart.
bool conflicts(const Endpoint& wanted, const driver::SocketRow& row);

// Ordered by kind, the exact ones first.
std::vector<Claim> claims_of(const PortEvidence& evidence);

}  // namespace berth::net
