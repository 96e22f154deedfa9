// SPDX-License-Identifier: MIT
//
// Gauge: a number that goes up and down, written by one thread and read by any.
//
// See:       base/counter.hpp, for what only grows.

#pragma once

#include <atomic>
#include <cstdint>

namespace berth::base {

class Gauge {
public:
    void add(std::uint64_t count = 1) { move(static_cast<std::int64_t>(count)); }
    void sub(std::uint64_t count = 1) { move(-static_cast<std::int64_t>(count)); }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    void move(std::int64_t by) {
        value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    std::atomic<std::int64_t> value_{0};
};

}  // namespace berth::base
