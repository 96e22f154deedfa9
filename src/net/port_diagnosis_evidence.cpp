// SPDX-License-Identifier: MIT
//
// PortEvidence: a trial, the tables, /proc, and the trial once more.

#include "net/port_diagnosis_evidence.hpp"

#include "net/port_diagnosis_claims.hpp"
#include "net/port_trial.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

namespace berth::net {

using driver::PathFacts;
using driver::SocketRow;
using driver::SocketState;
using driver::SocketStates;
using driver::System;

namespace {

// Only Linux 6.7 and later show sockets that are bound and nothing else. Tried on one of our own.
bool sees_bound_sockets(System& system, const Endpoint& endpoint) {
    IpEndpoint anywhere = endpoint.ip();
    anywhere.port = 0;
    const Endpoint any_port(endpoint.scheme(), anywhere);
    PortTrial trial(system, any_port);
    if (!trial.bind()) return false;
    const auto local = system.local_endpoint(trial.socket(), endpoint.scheme());
    if (!local) return false;
    const auto rows = system.sockets(endpoint.scheme(), local->port(),
                                     SocketStates::of({SocketState::bound_inactive}));
    return rows && !rows->empty();
}

// ── IP addresses ─────────────────────────────────────────────────────────────────────────────

// Is the other end of this connection here, and does somebody listen on it?
bool peer_listens(System& system, Scheme scheme, const SocketRow& row) {
    IpEndpoint same_host = row.peer;
    same_host.port = row.local.port;
    if (same_host != row.local) return false;
    const auto rows =
        system.sockets(scheme, row.peer.port, SocketStates::of({SocketState::listening}));
    const Endpoint peer(scheme, row.peer);
    return rows && std::ranges::any_of(*rows, [&](const SocketRow& listener) {
               return listener.local.port == row.peer.port && conflicts(peer, listener);
           });
}

// A dump for each of many connections would take long, and a few of them tell what they are.
constexpr std::size_t kPeersAsked = 8;

void gather_peers(System& system, PortEvidence& evidence) {
    if (!evidence.rows || evidence.endpoint.is_udp()) return;
    std::size_t asked = 0;
    for (const SocketRow& row : *evidence.rows) {
        if (row.peer.family == 0 || row.peer == row.local) continue;
        if (++asked > kPeersAsked) return;
        if (peer_listens(system, evidence.endpoint.scheme(), row)) {
            evidence.peers_listening.push_back(row.peer);
        }
    }
}

std::optional<std::vector<SocketRow>> rows_of(System& system, const Endpoint& endpoint) {
    auto rows = system.sockets(endpoint.scheme(), endpoint.port());
    if (!rows) return std::nullopt;
    std::erase_if(*rows, [&](const SocketRow& row) {
        return row.local.port != endpoint.port() || !conflicts(endpoint, row);
    });
    return std::move(*rows);
}

std::vector<std::uint64_t> inodes_of(const PortEvidence& evidence) {
    std::vector<std::uint64_t> inodes;
    const auto collect = [&](const auto& rows) {
        if (!rows) return;
        for (const auto& row : *rows) {
            if (row.inode != 0) inodes.push_back(row.inode);
        }
    };
    collect(evidence.rows);
    collect(evidence.unix_rows);
    return inodes;
}

void gather_holders(System& system, PortEvidence& evidence) {
    const auto inodes = inodes_of(evidence);
    if (!inodes.empty()) evidence.holders = system.holders(inodes);
}

void gather_ip(System& system, PortEvidence& evidence) {
    evidence.rows = rows_of(system, evidence.endpoint);
    evidence.sees_bound =
        evidence.endpoint.is_udp() || sees_bound_sockets(system, evidence.endpoint);
    evidence.ephemeral = system.ephemeral_ports();
    gather_peers(system, evidence);
}

// ── Unix names ───────────────────────────────────────────────────────────────────────────────

// Whether the folder is there at all is asked by locking it, for a moment.
base::Outcome<void> check_folder(System& system, const std::string& path) {
    const auto held = system.lock_directory_of(path);
    if (held) system.close(*held);
    if (!held && held.errno_value() != EWOULDBLOCK) return base::failed(held.errno_value());
    return {};
}

// A path is never bound on trial: that would make a file.
base::Outcome<void> gather_path(System& system, PortEvidence& evidence) {
    const std::string& path = evidence.endpoint.name();
    const auto facts = system.inspect(path);
    if (!facts) return base::failed(facts.errno_value());
    evidence.path = *facts;
    if (facts->kind == PathFacts::Kind::missing) return check_folder(system, path);
    evidence.bind_errno = EADDRINUSE;
    if (facts->kind != PathFacts::Kind::socket) return {};
    if (const auto owned = system.path_has_owner(path)) evidence.path_has_owner = *owned;
    return {};
}

void gather_unix(System& system, PortEvidence& evidence) {
    if (auto rows = system.unix_sockets(evidence.endpoint.name())) {
        evidence.unix_rows = std::move(*rows);
    }
}

}  // namespace

base::Outcome<PortEvidence> gather_evidence(System& system, const Endpoint& endpoint,
                                            PortContext context) {
    const bool is_path = PortTrial::is_path(endpoint);
    const auto try_bind = [&] { return PortTrial(system, endpoint).bind().errno_value(); };
    PortEvidence evidence{.endpoint = endpoint,
                          .context = std::move(context),
                          .process_id = system.process_id(),
                          .user_id = system.user_id()};
    if (is_path) {
        const auto gathered = gather_path(system, evidence);
        if (!gathered) return base::failed(gathered.errno_value());
    } else {
        evidence.bind_errno = try_bind();
    }
    if (evidence.bind_errno == 0) return evidence;
    endpoint.is_unix() ? gather_unix(system, evidence) : gather_ip(system, evidence);
    gather_holders(system, evidence);
    // What was in the way when the tables were read is so only if it still is.
    if (!is_path) evidence.bind_errno = try_bind();
    return evidence;
}

}  // namespace berth::net
