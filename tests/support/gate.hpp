// SPDX-License-Identifier: MIT
//
// Gate: what one thread waits for and another lets happen.
//
// Each open() lets one pass. Waiting is bounded by patience().
//
// Lifetime:  a test may open it and end: it stays until those whom it let pass have come through.

#pragma once

#include "support/eventually.hpp"

#include <atomic>
#include <chrono>
#include <semaphore>

namespace berth::test {

class Gate {
public:
    Gate() = default;
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate() {
        const auto end = std::chrono::steady_clock::now() + kLeaving;
        while (passed_.load() < opened_.load() && std::chrono::steady_clock::now() < end) {
            let_others_run();
        }
    }

    void open() {
        opened_.fetch_add(1);
        semaphore_.release();
    }
    bool pass() {
        const bool passes = semaphore_.try_acquire_for(patience());
        passed_.fetch_add(1);  // the last touch
        return passes;
    }

private:
    static constexpr std::chrono::seconds kLeaving{1};  // where nobody comes

    std::counting_semaphore<> semaphore_{0};
    std::atomic<unsigned> opened_{0};
    std::atomic<unsigned> passed_{0};
};

}  // namespace berth::test
