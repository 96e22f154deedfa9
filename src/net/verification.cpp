// SPDX-License-Identifier: MIT
//
// Verification: bind, and listen behind a filter.

#include "net/verification.hpp"

#include "net/port_diagnosis.hpp"
#include "net/port_trial.hpp"

#include <cerrno>
#include <chrono>

namespace berth::net {

using driver::PathFacts;

namespace {

constexpr Duration kInterval = std::chrono::milliseconds{1};

}  // namespace

std::optional<Instant> Verification::step() {
    if (is_settled_) return std::nullopt;
    const auto tried = attempt();
    is_released_ = tried.has_value();
    const auto again = is_released_ ? std::nullopt : look(tried.errno_value());
    is_settled_ = !again;
    return again;
}

base::Outcome<void> Verification::attempt() {
    if (PortTrial::is_path(endpoint_)) {
        const auto facts = system_.inspect(endpoint_.name());
        if (!facts) return base::failed(facts.errno_value());
        if (facts->kind != PathFacts::Kind::missing) return base::failed(EADDRINUSE);
        return {};
    }
    PortTrial trial(system_, endpoint_, shares_port_);
    auto bound = trial.bind();
    if (!bound) return bound;
    const auto listened = trial.listen_unseen();
    has_listened_ = listened.has_value() && *listened;
    return listened ? base::Outcome<void>{} : base::failed(listened.errno_value());
}

// The holder is looked for when it is first refused, and again when patience ends.
std::optional<Instant> Verification::look(int errno_value) {
    const Instant now = system_.now();
    const bool is_last = deadline_ && now >= *deadline_;
    if (deadline_ && !is_last) return now + kInterval;
    auto diagnosis =
        diagnose_port(system_, endpoint_, {.once_ours = once_ours_, .is_settled = is_last});
    if (!deadline_) deadline_ = now + kTeardown;
    const bool may_pass = diagnosis && (diagnosis->is_free || diagnosis->retry_after == kTeardown);
    if (may_pass && !is_last) return now + kInterval;
    if (diagnosis && !diagnosis->is_free) port_ = std::move(*diagnosis);
    Error error = Error::from_errno("bind", errno_value).at(endpoint_.to_string());
    if (port_) error = std::move(error).held_by(*port_);
    cause_ = error.to_string();
    return std::nullopt;
}

void Verification::fill(ListenerReport& report) const {
    report.released = is_released_;
    report.listened = has_listened_ ? "proven" : "not_tried";
    report.cause = is_released_ ? std::string() : cause_;
    report.port = is_released_ ? std::nullopt : port_;
}

}  // namespace berth::net
