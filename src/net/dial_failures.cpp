// SPDX-License-Identifier: MIT
//
// DialFailures: judging, and telling.

#include "net/dial_failures.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace berth::net {

namespace {

// Nobody is there, or cannot be reached, now. EAGAIN: a Unix listener's queue is full; ENOENT: its
// path is not there yet.
bool may_pass_by_itself(int errno_value) {
    switch (errno_value) {
        case ECONNREFUSED:
        case ECONNRESET:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
        case ENETDOWN:
        case EAGAIN:
        case ENOENT: return true;
        default: return false;
    }
}

// "tcp://[::1]:80: connection refused (ECONNREFUSED)".
std::string line(const Endpoint& to, int errno_value) {
    if (errno_value == 0) return to.to_string() + ": no answer";
    return to.to_string() + Error::from_errno("", errno_value).to_string();
}

void append(std::string& text, const std::string& more) {
    if (!text.empty()) text += ", ";
    text += more;
}

}  // namespace

void DialFailures::begin_round() {
    failures_.clear();
    unresolved_.reset();
    untried_ = 0;
    last_errno_ = 0;
    ++rounds_;
}

void DialFailures::add(const Endpoint& to, int errno_value) {
    failures_.push_back({.to = to, .errno_value = errno_value});
    if (errno_value != 0) last_errno_ = errno_value;
}

bool DialFailures::may_pass() const {
    if (unresolved_) return unresolved_->code() == ErrorCode::name_unavailable;
    return std::ranges::any_of(failures_, may_pass_by_itself, &Failure::errno_value);
}

Error DialFailures::error(const Destination& to, int errno_value) const {
    if (unresolved_ && errno_value == 0) {
        std::string detail(unresolved_->detail());
        if (rounds_ > 1) append(detail, "after " + std::to_string(rounds_) + " attempts");
        return Error(unresolved_->code(), "resolve")
            .at(to.to_string())
            .because(std::move(detail))
            .fix(std::string(unresolved_->remedy()));
    }
    Error error = Error::from_errno("connect", errno_value).at(to.to_string());
    std::string detail = reasons();
    if (to.is_name() && detail.empty()) {
        detail = "no address was tried";
    } else if (untried_ > 0) {
        append(detail, std::to_string(untried_) + " more not tried");
    }
    if (rounds_ > 1) append(detail, "after " + std::to_string(rounds_) + " attempts");
    return std::move(error).because(std::move(detail));
}

std::string DialFailures::reasons() const {
    std::string text;
    for (const Failure& failure : failures_) append(text, line(failure.to, failure.errno_value));
    return text;
}

}  // namespace berth::net
