// SPDX-License-Identifier: MIT
//
// Port diagnosis: evidence, decision, and the names of users.

#include "net/port_diagnosis.hpp"

#include <cerrno>
#include <utility>

namespace berth::net {

using driver::System;

namespace {

// Where time stands still within a call, waiting is of no use.
constexpr int kLooksWithoutTime = 10;

}  // namespace

Result<PortDiagnosis> diagnose_port(System& system, const Endpoint& endpoint, PortContext context) {
    const auto evidence = gather_evidence(system, endpoint, std::move(context));
    if (!evidence) {
        return fail(Error::from_errno("bind", evidence.errno_value()).at(endpoint.to_string()));
    }
    auto diagnosis = decide(*evidence);
    if (!diagnosis) return diagnosis;
    for (PortHolder& holder : diagnosis->holders) holder.user = system.user_name(holder.uid);
    return diagnosis;
}

Result<PortDiagnosis> diagnose_settled_port(System& system, const Endpoint& endpoint) {
    const Instant deadline = system.now() + kTeardown;
    for (;;) {
        auto diagnosis = diagnose_port(system, endpoint);
        if (!diagnosis || diagnosis->retry_after != kTeardown) return diagnosis;
        if (system.now() >= deadline) break;
        system.let_others_run();
    }
    return diagnose_port(system, endpoint, {.once_ours = {}, .is_settled = true});
}

Error with_holder(System& system, const Endpoint& endpoint, Error error) {
    if (error.errno_value() != EADDRINUSE) return error;
    auto diagnosis = diagnose_port(system, endpoint, {.once_ours = {}, .is_settled = true});
    if (!diagnosis || diagnosis->is_free) return error;
    return std::move(error).held_by(std::move(*diagnosis));
}

bool TeardownPatience::lasts(int errno_value) {
    if (errno_value != EADDRINUSE) return false;
    const Instant now = system_.now();
    if (deadline_) {
        system_.let_others_run();
        looks_without_time_ = now == last_look_ ? looks_without_time_ + 1 : 0;
        last_look_ = now;
        return looks_without_time_ < kLooksWithoutTime && now < *deadline_;
    }
    deadline_ = now + kTeardown;
    const auto diagnosis = diagnose_port(system_, endpoint_);
    return diagnosis && (diagnosis->is_free || diagnosis->retry_after == kTeardown);
}

}  // namespace berth::net
