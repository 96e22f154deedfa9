// SPDX-License-Identifier: MIT
//
// Choices: the bytes of an input, read as decisions.
//
// A decision takes a byte, counted from '0': so inputs can be written and read as text, and each
// byte that a fuzzer changes is another decision. After the last byte every answer is 0.

#pragma once

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace berth::fuzz {

class Choices {
public:
    explicit Choices(Bytes input) : left_(input) {}

    bool left() const { return !left_.empty(); }

    // One of the numbers below `bound`, at most 256.
    std::size_t below(std::size_t bound) { return next() % bound; }

    // 0 to 31, or a number as close to a power of two, up to 2^bits: where things change. Two
    // decisions.
    std::uint64_t magnitude(std::size_t bits) {
        const std::uint64_t power = std::uint64_t{1} << below(bits + 1);
        const std::uint64_t around = below(64);
        return power + around < 32 ? around : power + around - 32;
    }

private:
    std::uint8_t next() {
        if (left_.empty()) return 0;
        const auto first = std::to_integer<std::uint8_t>(left_.front());
        left_ = left_.subspan(1);
        return static_cast<std::uint8_t>(first - '0');
    }

    Bytes left_;
};

}  // namespace berth::fuzz
