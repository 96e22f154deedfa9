// SPDX-License-Identifier: MIT
//
// Words: one row of a table per cause.

#include "net/port_diagnosis_words.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace berth::net {

using driver::SocketHolder;

namespace {

class Speaker {
public:
    Speaker(const PortEvidence& evidence, const Finding& finding)
        : evidence_(evidence),
          finding_(finding),
          holders_(net::holders_of(evidence, finding.claims)) {}

    std::string evidence() const;
    std::string remedy() const;

private:
    std::string what_is_there() const;
    std::string alternative() const;

    // ── Pieces ───────────────────────────────────────────────────────────────────────────────
    std::string holder() const;
    std::string claim_place() const;
    std::string sockets(std::string_view what) const;
    std::string waits() const;
    std::string overlap() const;
    std::string stop_it() const;
    std::string another() const;
    std::string look() const;
    std::string reserve() const;
    std::string port() const { return std::to_string(evidence_.endpoint.port()); }
    bool is_unix() const { return evidence_.endpoint.is_unix(); }
    const std::string& path() const { return evidence_.endpoint.name(); }

    const PortEvidence& evidence_;
    const Finding& finding_;
    std::vector<SocketHolder> holders_;
};

// ── Pieces ───────────────────────────────────────────────────────────────────────────────────

std::string Speaker::holder() const {
    if (holders_.empty()) return "somebody";
    const SocketHolder& first = holders_.front();
    std::string text = first.command + " (pid " + std::to_string(first.pid) + ", descriptor " +
                       std::to_string(first.fd) + ")";
    const auto others = std::ranges::count_if(
        holders_, [&](const SocketHolder& holder) { return holder.pid != first.pid; });
    if (others > 0) text += " and others";
    return text;
}

std::string Speaker::claim_place() const { return finding_.claims.front().local.to_string(); }

// "3 connections"
std::string Speaker::sockets(std::string_view what) const {
    const auto count = finding_.claims.size();
    std::string text = std::to_string(count).append(" ").append(what);
    return count == 1 ? text : text + "s";
}

std::string Speaker::waits() const {
    if (!all_expire(finding_)) return "wait until their peers answer or the kernel gives up";
    const Duration longest = std::ranges::max(finding_.claims, {}, &Claim::timer).timer;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(longest).count();
    return "wait " + std::to_string(seconds) + " s";
}

// Which of the two is the wider one?
std::string Speaker::overlap() const {
    const bool is_wider =
        finding_.claims.front().local.is_wildcard() && !evidence_.endpoint.is_wildcard();
    return is_wider ? "which includes this address" : "which this address includes";
}

std::string Speaker::stop_it() const {
    if (holders_.empty()) return "stop it";
    std::string pids;
    std::vector<std::int64_t> named;
    for (const SocketHolder& holder : holders_) {
        if (std::ranges::find(named, holder.pid) != named.end()) continue;
        named.push_back(holder.pid);
        pids += " " + std::to_string(holder.pid);
    }
    return "stop it: `kill" + pids + "`";
}

std::string Speaker::another() const {
    return is_unix() ? "choose another path" : "choose another port (0: any free one)";
}

std::string Speaker::look() const {
    if (is_unix()) return "`ss -xanp` as root";
    const std::string_view flags = evidence_.endpoint.is_udp() ? "-uanp" : "-tanp";
    return std::string("`ss ").append(flags) + " 'sport = :" + port() + "'` as root";
}

std::string Speaker::reserve() const {
    return "`sysctl -w net.ipv4.ip_local_reserved_ports=" + port() +
           "` keeps it from outgoing connections (the list replaces the old one)";
}

// ── Evidence ─────────────────────────────────────────────────────────────────────────────────

std::string Speaker::what_is_there() const {
    switch (finding_.cause) {
        case PortCause::none: return "a bind succeeds";
        case PortCause::live_listener:
            return holder() +
                   (is_unix() || !evidence_.endpoint.is_udp() ? " listens on " : " receives on ") +
                   claim_place();
        case PortCause::same_process:
            return "this process (pid " + std::to_string(evidence_.process_id) +
                   ") has it open itself: " + holder() + " on " + claim_place();
        case PortCause::inherited_by_child:
            return holder() + ", a child of this process, has a copy of the socket on " +
                   claim_place();
        case PortCause::dying_process:
            return "a socket is on " + claim_place() +
                   ", and no process has it open: the kernel is still taking its owner apart";
        case PortCause::bound_not_listening:
            return holder() + " has bound " + claim_place() + " and does not listen";
        case PortCause::leftover_no_reuse:
            return sockets("connection") +
                   " that nobody owns any more, of a socket without SO_REUSEADDR";
        case PortCause::leftover_connections:
            return holder() + " still has " + sockets("connection") +
                   " of a server that no longer listens and did not set SO_REUSEADDR";
        case PortCause::ephemeral_collision:
            return "an outgoing connection of " + holder() + " has it as its source port";
        case PortCause::self_connect:
            return "a connection of " + holder() + " has " + claim_place() + " at both ends";
        case PortCause::uid_mismatch:
            return "several sockets share " + claim_place() + " by SO_REUSEPORT, all of user " +
                   std::to_string(finding_.claims.front().uid) + ", and this is user " +
                   std::to_string(evidence_.user_id);
        case PortCause::overlap: return holder() + " is on " + claim_place() + ", " + overlap();
        case PortCause::holder_hidden:
            if (finding_.claims.empty()) {
                return "a socket stands behind the path, and no table shows it under this name";
            }
            return "a socket of user " + std::to_string(finding_.claims.front().uid) + " is on " +
                   claim_place() + ", and no process that this user may see has it open";
        case PortCause::systemd_socket:
            return holder() + " listens on " + claim_place() + " for a service";
        case PortCause::stale_unix_path:
            return "the file is a socket with nobody behind it: a connect is refused";
        case PortCause::path_conflict: return "what lies at the path is not a socket";
        case PortCause::unknown: return "a bind is refused, and no table shows a socket there";
    }
    return {};
}

// What else the same rows could mean. Of a proven cause: nothing.
std::string Speaker::alternative() const {
    if (finding_.certainty == Certainty::proven) return {};
    switch (finding_.cause) {
        case PortCause::live_listener:
            return is_unix() ? "a later server may have renamed its socket over this name"
                             : "a client that sends from a port it was given looks the same";
        case PortCause::same_process: return "the name may have another file by now";
        case PortCause::inherited_by_child:
            return "the process may have bound it itself, or got it passed";
        case PortCause::dying_process:
            return "a process in another pid namespace, or a socket on its way between two "
                   "processes, looks the same";
        case PortCause::bound_not_listening: return "other sockets are on the port, too";
        case PortCause::leftover_no_reuse:
            return "an outgoing connection that got it as its source port leaves the same";
        case PortCause::leftover_connections:
            return "outgoing connections that got it as their source port look the same";
        case PortCause::ephemeral_collision:
            return "connections of an old server without SO_REUSEADDR look the same";
        case PortCause::self_connect: return "other sockets are on the port, too";
        case PortCause::holder_hidden:
            return evidence_.user_id == 0 ? "it may be in another pid namespace"
                                          : "its process may be ending just now";
        case PortCause::systemd_socket: return "it may be kept in the descriptor store instead";
        case PortCause::unknown: return "it may have gone since, or not be shown by this kernel";
        default: return {};
    }
}

std::string Speaker::evidence() const {
    const std::string other = alternative();
    return other.empty() ? what_is_there() : what_is_there() + "; or: " + other;
}

// ── Remedies ─────────────────────────────────────────────────────────────────────────────────

std::string Speaker::remedy() const {
    switch (finding_.cause) {
        case PortCause::none: return {};
        case PortCause::live_listener: return stop_it() + "; or " + another();
        case PortCause::same_process:
            return "close the other listener of this process first; or " + another();
        case PortCause::inherited_by_child:
            return stop_it() +
                   "; and make sockets close-on-exec (SOCK_CLOEXEC), and shut a listener down "
                   "before closing it, so that no copy goes on";
        case PortCause::dying_process: return "try again in 50 ms";
        case PortCause::bound_not_listening:
            return stop_it() + "; or wait, if it is a server that is just starting";
        case PortCause::leftover_no_reuse:
            return waits() +
                   "; and set SO_REUSEADDR on the old server's listener, as berth does, and the "
                   "next start need not wait";
        case PortCause::leftover_connections:
            return stop_it() +
                   "; and set SO_REUSEADDR on its listener, and the next start need not wait";
        case PortCause::ephemeral_collision:
            return (holders_.empty() ? waits() : stop_it()) +
                   "; and reserve the port: " + reserve();
        case PortCause::self_connect:
            return stop_it() + "; and do not probe a port with connect(2), ask `berth port`; " +
                   reserve();
        case PortCause::uid_mismatch:
            return "start it as user " + std::to_string(finding_.claims.front().uid) +
                   " with SO_REUSEPORT; or " + stop_it();
        case PortCause::overlap:
            return stop_it() + "; or let it listen on its own address only; or " + another();
        case PortCause::holder_hidden:
            if (evidence_.user_id != 0) {
                return "ask as root: `sudo berth port " + evidence_.endpoint.to_string() + "`";
            }
            return "look in other pid namespaces: `lsns -t pid`, `nsenter -t PID -p -m " +
                   std::string(is_unix() ? "ss -xlp`" : "ss -tanp`");
        case PortCause::systemd_socket:
            return "`systemctl list-sockets` names the unit; `systemctl stop UNIT.socket` frees "
                   "it, or start as its service and take the socket over";
        case PortCause::stale_unix_path:
            return "`rm " + path() + "`; a berth server replaces it by itself";
        case PortCause::path_conflict:
            return "see what it is: `ls -ld " + path() + "`; remove it or choose another path";
        case PortCause::unknown: return "try again; if it stays, look with " + look();
    }
    return {};
}

}  // namespace

std::string evidence_text(const PortEvidence& evidence, const Finding& finding) {
    return Speaker(evidence, finding).evidence();
}

std::string remedy_text(const PortEvidence& evidence, const Finding& finding) {
    return Speaker(evidence, finding).remedy();
}

}  // namespace berth::net
