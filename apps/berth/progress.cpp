// SPDX-License-Identifier: MIT
//
// Progress: rewrites one line, four times a second.

#include "progress.hpp"

#include "system.hpp"
#include "units.hpp"

#include <berth/clock.hpp>

#include <fmt/core.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>

namespace berth::app {

namespace {

constexpr Duration kPause = std::chrono::milliseconds{250};
constexpr const char* kEraseLine = "\r\x1b[K";

}  // namespace

Progress::Progress(Instant start)
    : is_wanted_(stderr_is_terminal()), start_(start), shown_at_(start) {}

void Progress::show(Instant now, std::size_t open, std::uint64_t answered) {
    if (!is_wanted_ || now - shown_at_ < kPause) return;
    const auto since_shown = static_cast<double>(answered - answered_);
    std::cerr << kEraseLine
              << fmt::format("{:5.1f} s  {} open  {} verified  {:.0f} requests/s",
                             in_seconds(now - start_), with_separators(open),
                             with_separators(answered), since_shown / in_seconds(now - shown_at_))
              << std::flush;
    shown_at_ = now;
    answered_ = answered;
}

void Progress::erase() {
    if (is_wanted_ && shown_at_ > start_) std::cerr << kEraseLine << std::flush;
}

}  // namespace berth::app
