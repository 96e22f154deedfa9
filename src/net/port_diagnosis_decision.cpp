// SPDX-License-Identifier: MIT
//
// Decision: who listens comes first, then the only kind of socket that is there, then the
// likeliest.

#include "net/port_diagnosis_decision.hpp"

#include "net/port_diagnosis_words.hpp"
#include "net/socket_state_names.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace berth::net {

using driver::PathFacts;
using driver::SocketHolder;
using driver::SocketRow;

namespace {

using Claims = std::span<const Claim>;

// ── Owners ───────────────────────────────────────────────────────────────────────────────────

template <class Fact>
bool any_holder(const PortEvidence& evidence, const Claim& claim, Fact&& fact) {
    return std::ranges::any_of(evidence.holders, [&](const SocketHolder& holder) {
        return holder.inode == claim.inode && fact(holder);
    });
}

bool is_ours(const PortEvidence& evidence, const Claim& claim) {
    return any_holder(evidence, claim, [&](const SocketHolder& holder) {
        return holder.pid == evidence.process_id;
    });
}

bool is_our_childs(const PortEvidence& evidence, const Claim& claim) {
    return any_holder(evidence, claim, [&](const SocketHolder& holder) {
        return holder.parent == evidence.process_id;
    });
}

bool was_ours(const PortEvidence& evidence, const Claim& claim) {
    return std::ranges::find(evidence.context.once_ours, claim.inode) !=
           evidence.context.once_ours.end();
}

// The manager of the system, or of a user.
bool is_systemds(const PortEvidence& evidence, const Claim& claim) {
    return any_holder(evidence, claim,
                      [](const SocketHolder& holder) { return holder.command == "systemd"; });
}

// Somebody has it, since it has an inode, and nobody is to be seen.
bool is_unseen(const PortEvidence& evidence, const Claim& claim) {
    return claim.inode != 0 && !any_holder(evidence, claim, [](const auto&) { return true; });
}

// Another user's processes do not show what they have open, but to root.
bool is_hidden_from_us(const PortEvidence& evidence, const Claim& claim) {
    return evidence.user_id != 0 && claim.uid != evidence.user_id;
}

// ── Listeners ────────────────────────────────────────────────────────────────────────────────

// Two that listen on one address share it by SO_REUSEPORT, and only with their own user.
bool is_shared_by_others(const PortEvidence& evidence, Claims listeners, const Claim& claim) {
    const auto shares = [&](const Claim& other) {
        return other.kind == ClaimKind::listener && other.is_exact && other.zone == claim.zone &&
               other.uid == claim.uid;
    };
    return claim.uid != evidence.user_id && !evidence.endpoint.is_unix() &&
           std::ranges::count_if(listeners, shares) > 1;
}

Finding finding_about(const PortEvidence& evidence, Claims listeners, const Claim& claim) {
    const auto found = [&](PortCause cause, Certainty certainty) {
        return Finding{.cause = cause, .certainty = certainty, .claims = {claim}};
    };
    const Certainty certain = claim.is_certain ? Certainty::proven : Certainty::likely;
    if (is_ours(evidence, claim)) return found(PortCause::same_process, certain);
    if (is_systemds(evidence, claim)) return found(PortCause::systemd_socket, Certainty::likely);
    if (is_unseen(evidence, claim)) {
        const bool hidden = evidence.context.is_settled || is_hidden_from_us(evidence, claim);
        return found(hidden ? PortCause::holder_hidden : PortCause::dying_process,
                     Certainty::likely);
    }
    const bool by_child = is_our_childs(evidence, claim);
    const bool once_ours = was_ours(evidence, claim);
    if (by_child || once_ours) {
        return found(PortCause::inherited_by_child,
                     by_child && once_ours ? certain : Certainty::likely);
    }
    if (!claim.is_exact) return found(PortCause::overlap, Certainty::proven);
    if (is_shared_by_others(evidence, listeners, claim)) {
        return found(PortCause::uid_mismatch, Certainty::proven);
    }
    return found(PortCause::live_listener, certain);
}

// Of several listeners: the one that is nearest to whoever asks.
constexpr std::array kNearestFirst{
    PortCause::same_process,  PortCause::inherited_by_child, PortCause::systemd_socket,
    PortCause::uid_mismatch,  PortCause::live_listener,      PortCause::overlap,
    PortCause::holder_hidden, PortCause::dying_process,
};

auto nearness(const Finding& finding) {
    return std::ranges::find(kNearestFirst, finding.cause) - kNearestFirst.begin();
}

Finding find_among_listeners(const PortEvidence& evidence, Claims listeners) {
    Finding nearest;
    for (const Claim& claim : listeners) {
        Finding finding = finding_about(evidence, listeners, claim);
        if (nearest.claims.empty() || nearness(finding) < nearness(nearest)) {
            nearest = std::move(finding);
        }
    }
    for (const Claim& claim : listeners) {
        if (claim.inode != nearest.claims.front().inode) nearest.claims.push_back(claim);
    }
    return nearest;
}

// ── The others ───────────────────────────────────────────────────────────────────────────────

bool is_listening(const Claim& claim) { return claim.kind <= ClaimKind::receiver; }

PortCause cause_of(ClaimKind kind) {
    switch (kind) {
        case ClaimKind::self_connected: return PortCause::self_connect;
        case ClaimKind::bound: return PortCause::bound_not_listening;
        case ClaimKind::connecting:
        case ClaimKind::outgoing: return PortCause::ephemeral_collision;
        case ClaimKind::served: return PortCause::leftover_connections;
        case ClaimKind::leftover: return PortCause::leftover_no_reuse;
        default: return PortCause::live_listener;
    }
}

// The claims come ordered by kind: the first is the likeliest. It is proven if all are of its
// kind, that kind leaves no doubt, and no socket can be there that the table does not show.
Finding find_among_others(const PortEvidence& evidence, const std::vector<Claim>& claims) {
    const PortCause cause = cause_of(claims.front().kind);
    const bool is_alone = std::ranges::all_of(claims, [&](const Claim& claim) {
        return claim.is_certain && cause_of(claim.kind) == cause;
    });
    const bool sees_all = evidence.endpoint.is_unix() || evidence.sees_bound;
    return {.cause = cause,
            .certainty = is_alone && sees_all ? Certainty::proven : Certainty::likely,
            .claims = claims};
}

// ── Unix paths ───────────────────────────────────────────────────────────────────────────────

// What the file alone says.
std::optional<Finding> find_at_path(const PortEvidence& evidence) {
    if (!evidence.endpoint.is_unix() || evidence.endpoint.is_abstract()) return std::nullopt;
    if (evidence.path.kind == PathFacts::Kind::other) {
        return Finding{PortCause::path_conflict, Certainty::proven, {}};
    }
    if (evidence.path_has_owner.has_value() && !*evidence.path_has_owner) {
        return Finding{PortCause::stale_unix_path, Certainty::proven, {}};
    }
    return std::nullopt;
}

// A socket stands behind the path under a name that is not the path: renamed, or of elsewhere.
Finding find_nobody(const PortEvidence& evidence) {
    const bool is_path = evidence.path.kind == PathFacts::Kind::socket;
    return {is_path ? PortCause::holder_hidden : PortCause::unknown, Certainty::likely, {}};
}

// ── The diagnosis ────────────────────────────────────────────────────────────────────────────

std::vector<PortHolder> to_public(const std::vector<SocketHolder>& holders) {
    std::vector<PortHolder> shown;
    shown.reserve(holders.size());
    for (const SocketHolder& holder : holders) {
        shown.push_back({.pid = holder.pid,
                         .command = holder.command,
                         .executable = holder.executable,
                         .uid = holder.uid,
                         .user = {},
                         .fd = holder.fd,
                         .inode = holder.inode,
                         .since = holder.since});
    }
    return shown;
}

void count(std::vector<PortStateCount>& states, std::string_view state, Duration timer) {
    auto counted = std::ranges::find(states, state, &PortStateCount::state);
    if (counted == states.end()) counted = states.insert(states.end(), {.state = state});
    ++counted->count;
    counted->timer_max = std::max(counted->timer_max, timer);
}

std::vector<PortStateCount> states_of(const PortEvidence& evidence) {
    std::vector<PortStateCount> states;
    if (evidence.rows) {
        for (const SocketRow& row : *evidence.rows) {
            count(states, state_name(row.state, evidence.endpoint.is_udp()), row.timer);
        }
    }
    if (evidence.unix_rows) {
        for (const driver::UnixRow& row : *evidence.unix_rows) {
            count(states, row.is_listening ? "LISTEN" : "UNCONN", {});
        }
    }
    return states;
}

std::optional<Duration> retry_after(const PortEvidence& evidence, const Finding& finding) {
    const bool may_be_dying = !evidence.context.is_settled &&
                              std::ranges::any_of(finding.claims, [&](const Claim& claim) {
                                  return is_unseen(evidence, claim);
                              });
    // A table that was read and shows nobody: whoever it was has just gone.
    const bool has_gone = finding.cause == PortCause::unknown &&
                          (evidence.rows || evidence.unix_rows) && !evidence.context.is_settled;
    if (may_be_dying || has_gone) return kTeardown;
    if (!all_expire(finding)) return std::nullopt;
    return std::ranges::max(finding.claims, {}, &Claim::timer).timer;
}

// Whom else but others could a bind be refused for?
bool is_taken(const PortEvidence& evidence, const std::vector<Claim>& claims) {
    return evidence.bind_errno == EADDRINUSE || std::ranges::any_of(claims, [](const Claim& claim) {
               return claim.kind == ClaimKind::listener;
           });
}

PortDiagnosis free_port(const PortEvidence& evidence) {
    return {.endpoint = evidence.endpoint,
            .holders = {},
            .states = {},
            .evidence = "a bind succeeds",
            .remedy = {},
            .retry_after = {}};
}

}  // namespace

std::vector<SocketHolder> holders_of(const PortEvidence& evidence,
                                     const std::vector<Claim>& claims) {
    std::vector<SocketHolder> holders;
    for (const SocketHolder& holder : evidence.holders) {
        const auto holds = [&](const Claim& claim) { return claim.inode == holder.inode; };
        if (std::ranges::any_of(claims, holds)) holders.push_back(holder);
    }
    // The holder of the telling claim is named first, and of several the oldest.
    std::ranges::sort(holders, {}, [&](const SocketHolder& holder) {
        return std::tuple(holder.inode != claims.front().inode, holder.since, holder.pid);
    });
    return holders;
}

bool all_expire(const Finding& finding) {
    return !finding.claims.empty() && std::ranges::all_of(finding.claims, &Claim::expires);
}

Finding find_cause(const PortEvidence& evidence, const std::vector<Claim>& claims) {
    if (auto at_path = find_at_path(evidence)) return *at_path;
    if (claims.empty()) return find_nobody(evidence);
    const auto listeners = std::ranges::find_if_not(claims, is_listening);
    if (listeners == claims.begin()) return find_among_others(evidence, claims);
    return find_among_listeners(evidence, Claims(claims.begin(), listeners));
}

Result<PortDiagnosis> decide(const PortEvidence& evidence) {
    if (evidence.bind_errno == 0) return free_port(evidence);
    const auto claims = claims_of(evidence);
    if (!is_taken(evidence, claims)) {
        return fail(
            Error::from_errno("bind", evidence.bind_errno).at(evidence.endpoint.to_string()));
    }
    const Finding finding = find_cause(evidence, claims);
    PortDiagnosis diagnosis{.endpoint = evidence.endpoint,
                            .is_free = false,
                            .cause = finding.cause,
                            .certainty = finding.certainty,
                            .errno_value = evidence.bind_errno,
                            .holders = to_public(holders_of(evidence, finding.claims)),
                            .states = states_of(evidence),
                            .evidence = evidence_text(evidence, finding),
                            .remedy = remedy_text(evidence, finding),
                            .retry_after = retry_after(evidence, finding)};
    return diagnosis;
}

}  // namespace berth::net
