// SPDX-License-Identifier: MIT
//
// RateLimiter: so many a second, after a burst of so many; a token bucket in one word.
//
// What is kept is when the bucket will be full again (the generic cell rate algorithm): taking a
// token puts that off by the time one token takes to come.
//
// Threads:   any; set() before the first take().

#pragma once

#include <berth/clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace berth::base {

class RateLimiter {
public:
    static constexpr std::size_t kPerSecondMax = 1'000'000;
    static constexpr std::size_t kBurstMax = 1'000'000;

    // Of 0 a second: no limit. The bucket is full.
    void set(std::size_t per_second, std::size_t burst) {
        constexpr std::chrono::nanoseconds kSecond = std::chrono::seconds{1};
        interval_ = per_second == 0 ? 0 : kSecond.count() / static_cast<std::int64_t>(per_second);
        capacity_ = interval_ * static_cast<std::int64_t>(burst);
        full_at_.store(0, std::memory_order_relaxed);
    }

    bool take(Instant now) {
        if (interval_ == 0) return true;
        const std::int64_t here = now.since_epoch.count();
        std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
        for (;;) {
            const std::int64_t next = std::max(full_at, here) + interval_;
            if (next - here > capacity_) return false;
            if (full_at_.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) {
                return true;
            }
        }
    }

private:
    std::int64_t interval_ = 0;  // nanoseconds for a token to come
    std::int64_t capacity_ = 0;  // and for all of them
    std::atomic<std::int64_t> full_at_{0};
};

}  // namespace berth::base
