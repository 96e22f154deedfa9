// SPDX-License-Identifier: MIT
//
// Claims: addresses in common, and telling sockets apart by their rows.

#include "net/port_diagnosis_claims.hpp"

#include "os/ip_address.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>

namespace berth::net {

using driver::PathFacts;
using driver::SocketRow;
using driver::SocketState;
using driver::UnixRow;

namespace {

// ── Addresses in common ──────────────────────────────────────────────────────────────────────

bool is_any(const IpEndpoint& ip) {
    return std::ranges::all_of(ip.address, [](std::uint8_t byte) { return byte == 0; });
}

// What a bound socket answers to.
struct Reach {
    IpEndpoint ip;
    bool is_v6_only = false;

    bool has_v4() const { return ip.family == 4 || (is_any(ip) && !is_v6_only); }
    bool has_v6() const { return ip.family == 6; }
};

Reach reach_of(const Endpoint& wanted) {
    return {.ip = os::unmapped(wanted.ip()), .is_v6_only = wanted.is_v6_only()};
}

Reach reach_of(const SocketRow& row) {
    return {.ip = os::unmapped(row.local), .is_v6_only = row.is_v6_only};
}

// Sockets on two devices do not meet.
bool are_apart(std::uint32_t zone, std::uint32_t other) {
    return zone != 0 && other != 0 && zone != other;
}

bool have_in_common(const Reach& a, const Reach& b) {
    if (!(a.has_v4() && b.has_v4()) && !(a.has_v6() && b.has_v6())) return false;
    return is_any(a.ip) || is_any(b.ip) || a.ip.address == b.ip.address;
}

// An IPv6 connection that came through a dual-stack listener is in the way of 0.0.0.0, though it
// has no IPv4 address: Linux looks only at its missing IPV6_V6ONLY.
bool is_taken_for_v4(const Reach& wanted, const Reach& held) {
    return wanted.ip.family == 4 && is_any(wanted.ip) && held.has_v6() && !held.is_v6_only;
}

bool is_same(const Reach& a, const Reach& b) {
    return a.ip.family == b.ip.family && a.ip.address == b.ip.address;
}

// ── Kinds ────────────────────────────────────────────────────────────────────────────────────

bool is_ownerless(const SocketRow& row) { return row.inode == 0; }

// The timers of other states only say when something is sent again.
bool expires(const SocketRow& row) {
    return row.state == SocketState::time_wait ||
           (row.state == SocketState::fin_wait2 && is_ownerless(row));
}

// Which side of a connection began it is not in the tables. Clients have their port from a range
// and connect to ports outside of it; and where the other end is listened on, it is the server.
bool seems_outgoing(const PortEvidence& evidence, const SocketRow& row) {
    if (std::ranges::find(evidence.peers_listening, row.peer) != evidence.peers_listening.end()) {
        return true;
    }
    return evidence.ephemeral.has(row.local.port) && !evidence.ephemeral.has(row.peer.port);
}

struct Kind {
    ClaimKind kind;
    bool is_certain;
};

// A client that sends without bind(2) gets a port of the range, and every address.
Kind datagram_kind(const PortEvidence& evidence, const SocketRow& row) {
    const bool may_be_given = evidence.ephemeral.has(row.local.port);
    if (row.peer.family == 0) {
        return {ClaimKind::receiver, !may_be_given || !is_any(os::unmapped(row.local))};
    }
    return {may_be_given ? ClaimKind::outgoing : ClaimKind::served, false};
}

Kind connection_kind(const PortEvidence& evidence, const SocketRow& row) {
    if (row.local == row.peer) return {ClaimKind::self_connected, true};
    if (seems_outgoing(evidence, row)) return {ClaimKind::outgoing, false};
    return {is_ownerless(row) ? ClaimKind::leftover : ClaimKind::served, false};
}

// Nothing: a socket that is in nobody's way.
std::optional<Kind> kind_of(const PortEvidence& evidence, const SocketRow& row) {
    if (evidence.endpoint.is_udp()) return datagram_kind(evidence, row);
    switch (row.state) {
        case SocketState::listening: return Kind{ClaimKind::listener, true};
        case SocketState::bound_inactive:
        case SocketState::closed: return Kind{ClaimKind::bound, true};
        case SocketState::syn_sent: return Kind{ClaimKind::connecting, true};
        // A handshake belongs to its listener, and holds nothing itself.
        case SocketState::syn_received:
        case SocketState::new_syn_received: return std::nullopt;
        default: return connection_kind(evidence, row);
    }
}

void add_ip_claims(const PortEvidence& evidence, std::vector<Claim>& claims) {
    if (!evidence.rows) return;
    const Reach wanted = reach_of(evidence.endpoint);
    for (const SocketRow& row : *evidence.rows) {
        const auto kind = kind_of(evidence, row);
        if (!kind || !conflicts(evidence.endpoint, row)) continue;
        claims.push_back({.kind = kind->kind,
                          .is_exact = is_same(wanted, reach_of(row)),
                          .is_certain = kind->is_certain,
                          .inode = row.inode,
                          .uid = row.uid,
                          .zone = row.local.zone,
                          .expires = expires(row),
                          .timer = row.timer,
                          .local = Endpoint(evidence.endpoint.scheme(), row.local)});
    }
}

// ── Unix names ───────────────────────────────────────────────────────────────────────────────

// As the tables number them: SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET.
constexpr std::uint16_t kDatagramType = 2;

std::uint16_t type_of(Scheme scheme) {
    switch (scheme) {
        case Scheme::unix_datagram: return kDatagramType;
        case Scheme::unix_packet: return 5;
        default: return 1;
    }
}

// The tables show the lower 32 bits of a file's number.
bool is_file(const PathFacts& path, const UnixRow& row) {
    constexpr std::uint64_t kShown = 0xffffffff;
    return row.file_device == path.device && row.file_inode == (path.inode & kShown);
}

// A name can outlive its file, and a file can change its name: a later server may have renamed
// another over it. Abstract names of different types do not meet; at a path any file does.
bool is_in_the_way(const PortEvidence& evidence, const UnixRow& row) {
    const bool has_name = row.name == evidence.endpoint.name();
    if (evidence.endpoint.is_abstract()) {
        return has_name && row.type == type_of(evidence.endpoint.scheme());
    }
    return row.file_inode == 0 ? has_name : is_file(evidence.path, row);
}

// Accepted connections carry their listener's name, and do not hold it.
void add_unix_claims(const PortEvidence& evidence, std::vector<Claim>& claims) {
    if (!evidence.unix_rows) return;
    const bool listens = std::ranges::any_of(*evidence.unix_rows, [&](const UnixRow& row) {
        return row.is_listening && is_in_the_way(evidence, row);
    });
    for (const UnixRow& row : *evidence.unix_rows) {
        if (!is_in_the_way(evidence, row) || (listens && !row.is_listening)) continue;
        ClaimKind kind = row.type == kDatagramType ? ClaimKind::receiver : ClaimKind::bound;
        if (row.is_listening) kind = ClaimKind::listener;
        claims.push_back({.kind = kind,
                          .is_certain = evidence.endpoint.is_abstract() || row.file_inode != 0,
                          .inode = row.inode,
                          .uid = row.uid,
                          .local = evidence.endpoint});
    }
}

}  // namespace

bool conflicts(const Endpoint& wanted, const SocketRow& row) {
    const Reach ours = reach_of(wanted);
    const Reach theirs = reach_of(row);
    return !are_apart(ours.ip.zone, theirs.ip.zone) &&
           (have_in_common(ours, theirs) || is_taken_for_v4(ours, theirs));
}

std::vector<Claim> claims_of(const PortEvidence& evidence) {
    std::vector<Claim> claims;
    add_ip_claims(evidence, claims);
    add_unix_claims(evidence, claims);
    std::ranges::sort(claims, {}, [](const Claim& claim) {
        return std::tuple(claim.kind, !claim.is_exact, claim.inode);
    });
    return claims;
}

}  // namespace berth::net
