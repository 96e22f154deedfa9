// SPDX-License-Identifier: MIT
//
// script: what both sides of the conversation must know.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace berth::test {

// More than the buffers of a Unix socket, or of TCP towards a peer with a small one, hold.
inline constexpr std::size_t kBigAnswer = 512U << 10U;
inline constexpr std::size_t kLongEcho = 300U << 10U;

// Bytes that repeat only after a long time, so that a hole or a swap shows.
inline std::string pattern(std::size_t count) {
    std::string bytes(count, '\0');
    std::uint32_t state = 1;
    for (char& byte : bytes) {
        state = state * 1'664'525U + 1'013'904'223U;
        byte = static_cast<char>(state >> 24U);
    }
    return bytes;
}

}  // namespace berth::test
