// SPDX-License-Identifier: MIT
//
// Pattern: one table, read at a phase.

#include "pattern.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>

namespace berth::app {

namespace {

// Any stride prime to the period gives each of 65,521 successive connections its own place.
constexpr std::uint64_t kStride = 25'033;

}  // namespace

Pattern::Pattern(std::uint64_t seed, std::size_t longest)
    : table_(kPeriod + std::max(longest, kPeriod)) {
    std::mt19937_64 random(seed);
    for (std::size_t at = 0; at < table_.size(); ++at) {
        table_[at] = at < kPeriod ? static_cast<std::byte>(random()) : table_[at - kPeriod];
    }
}

Bytes Pattern::at(std::uint64_t ordinal, std::uint64_t position, std::size_t count) const {
    return Bytes{table_}.subspan((ordinal * kStride + position) % kPeriod, count);
}

bool Pattern::matches(std::uint64_t ordinal, std::uint64_t position, Bytes received) const {
    const std::size_t longest = table_.size() - kPeriod;
    while (!received.empty()) {
        const Bytes piece = received.first(std::min(received.size(), longest));
        const Bytes expected = at(ordinal, position, piece.size());
        if (std::memcmp(expected.data(), piece.data(), piece.size()) != 0) return false;
        position += piece.size();
        received = received.subspan(piece.size());
    }
    return true;
}

}  // namespace berth::app
