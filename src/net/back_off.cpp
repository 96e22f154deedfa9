// SPDX-License-Identifier: MIT
//
// BackOff: growing bounds, by chance below them.

#include "net/back_off.hpp"

#include <algorithm>

namespace berth::net {

BackOff::BackOff(const DialRetry& retry, std::uint64_t seed)
    : retry_(retry),
      chance_(retry.seed != 0 ? retry.seed : seed),
      bound_(static_cast<double>(std::min(retry.first_delay, retry.delay_max).count())) {}

std::optional<Duration> BackOff::next() {
    if (attempts_ >= retry_.attempts) return {};
    ++attempts_;
    const auto pause = Duration(static_cast<Duration::rep>(bound_ * chance_.fraction()));
    bound_ = std::min(bound_ * retry_.factor, static_cast<double>(retry_.delay_max.count()));
    return pause;
}

Result<void> check_retry(const DialRetry& retry) {
    const auto bad = [](const char* why) {
        return fail(Error(ErrorCode::invalid_option, "connect").because(why));
    };
    if (retry.attempts == 0) return bad("DialRetry::attempts is 0");
    if (retry.first_delay < Duration::zero()) return bad("DialRetry::first_delay is negative");
    if (retry.delay_max < Duration::zero()) return bad("DialRetry::delay_max is negative");
    if (!(retry.factor >= 1)) return bad("DialRetry::factor is below 1");
    return {};
}

}  // namespace berth::net
