// SPDX-License-Identifier: MIT
//
// Gate: what one thread waits for and another lets happen.
//
// Each open() lets one pass. Waiting is bounded by patience().

#pragma once

#include "support/eventually.hpp"

#include <memory>
#include <semaphore>

namespace berth::test {

class Gate {
public:
    void open() { semaphore_->release(); }
    // Whoever is inside may come out after the gate has gone: a test opens it, and ends.
    bool pass() {
        const auto held = semaphore_;
        return held->try_acquire_for(patience());
    }

private:
    using Semaphore = std::counting_semaphore<>;
    std::shared_ptr<Semaphore> semaphore_ = std::make_shared<Semaphore>(0);
};

}  // namespace berth::test
