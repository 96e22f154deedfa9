// SPDX-License-Identifier: MIT
//
// Progress: one line on a terminal that tells a waiting person what goes on.
//
// Threads:   one at a time.

#pragma once

#include <berth/clock.hpp>

#include <cstddef>
#include <cstdint>

namespace berth::app {

class Progress {
public:
    // Without a terminal on stderr, both calls do nothing.
    explicit Progress(Instant start);

    void show(Instant now, std::size_t open, std::uint64_t answered);
    void erase();

private:
    bool is_wanted_;
    Instant start_;
    Instant shown_at_;
    std::uint64_t answered_ = 0;  // when it was last shown
};

}  // namespace berth::app
