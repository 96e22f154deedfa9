// SPDX-License-Identifier: MIT
//
// Watchdog: two variables, and half an interval.

#include "service/watchdog.hpp"

#include "os/text.hpp"
#include "service/status.hpp"
#include "service/variables.hpp"

#include <berth/clock.hpp>
#include <berth/snapshot.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace berth::service {

std::optional<Watchdog> Watchdog::of(const Variables& variables) {
    const std::string& pid = variables.watchdog_pid;
    if (!pid.empty() && pid != std::to_string(variables.process)) return {};
    constexpr std::int64_t kLongest = 1'000'000'000'000'000;  // fits a Duration, and is 31 years
    const auto usec = os::number_of<std::int64_t>(variables.watchdog_usec);
    if (!usec || *usec <= 0 || *usec > kLongest) return {};
    return Watchdog(std::chrono::microseconds{*usec});
}

bool Watchdog::feeds(const EngineSnapshot& snapshot, Instant now) {
    const bool is_alive = loops_are_alive(snapshot, interval_ / 2);
    next_ = now + interval_ / (is_alive ? 2 : 16);
    return is_alive;
}

}  // namespace berth::service
