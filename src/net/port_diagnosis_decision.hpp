// SPDX-License-Identifier: MIT
//
// Decision: from evidence to a cause. A function of values; nothing is asked any more.
//
// A listening socket with an address in common refuses us for certain, whatever else is there. The
// other sockets refuse only if they do not allow sharing, which no table tells: one of them is
// the proven cause only where nothing else could be.

#pragma once

#include "net/port_diagnosis_claims.hpp"
#include "net/port_diagnosis_evidence.hpp"

#include <berth/port.hpp>
#include <berth/result.hpp>

#include <chrono>

namespace berth::net {

// How long the kernel may need to take a dead process apart: io_uring's requests hold sockets for
// 5 to 11 ms after its end.
inline constexpr Duration kTeardown = std::chrono::milliseconds{50};

// What was concluded, and from which sockets.
struct Finding {
    PortCause cause = PortCause::unknown;
    Certainty certainty = Certainty::likely;
    std::vector<Claim> claims;  // those that the finding is about, the telling one first
};

// `claims` as claims_of gives them; a bind was refused.
Finding find_cause(const PortEvidence& evidence, const std::vector<Claim>& claims);

// Who has one of these claims open.
std::vector<driver::SocketHolder> holders_of(const PortEvidence& evidence,
                                             const std::vector<Claim>& claims);

// Does waiting help, and for as long as the longest timer?
bool all_expire(const Finding& finding);

// Fails where a bind is refused for a reason that has nothing to do with others: EACCES, say.
Result<PortDiagnosis> decide(const PortEvidence& evidence);

}  // namespace berth::net
