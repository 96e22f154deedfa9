// SPDX-License-Identifier: MIT
//
// Gate: what one thread waits for and another lets happen.
//
// Each open() lets one pass. Waiting is bounded by patience().

#pragma once

#include "support/eventually.hpp"

#include <semaphore>

namespace berth::test {

class Gate {
public:
    void open() { semaphore_.release(); }
    bool pass() { return semaphore_.try_acquire_for(patience()); }

private:
    std::counting_semaphore<> semaphore_{0};
};

}  // namespace berth::test
