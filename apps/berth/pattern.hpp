// SPDX-License-Identifier: MIT
//
// Pattern: the bytes that `berth load` sends, and expects back.
//
// One table of random bytes, shared by all connections. Each connection reads it as an endless
// stream, from a place of its own, so that a byte that is lost, doubled, swapped or belongs to
// another connection does not match. The period is a prime: no message size divides it.
//
// Lifetime:  outlives the conversations that use it.
// Threads:   immutable after construction.

#pragma once

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace berth::app {

class Pattern {
public:
    static constexpr std::size_t kPeriod = 65'521;

    // `longest`: the most bytes that at() will be asked for.
    Pattern(std::uint64_t seed, std::size_t longest);

    // Bytes [position, position + count) of the stream of the connection with that ordinal.
    Bytes at(std::uint64_t ordinal, std::uint64_t position, std::size_t count) const;
    bool matches(std::uint64_t ordinal, std::uint64_t position, Bytes received) const;

private:
    std::vector<std::byte> table_;  // one period, and as much again as a view may be long
};

}  // namespace berth::app
