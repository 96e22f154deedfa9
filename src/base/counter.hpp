// SPDX-License-Identifier: MIT
//
// Counter: a number that one thread writes and any thread reads.
//
// Each loop has its own, so adding needs no locked instruction; readers add the loops up.

#pragma once

#include <atomic>
#include <cstdint>

namespace berth::base {

class Counter {
public:
    void add(std::uint64_t count = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
    void reset() { value_.store(0, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

}  // namespace berth::base
