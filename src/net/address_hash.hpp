// SPDX-License-Identifier: MIT
//
// hash_of_address: a number that stays the same for an address, whatever its port. Keyed, so that
// nobody can choose addresses that meet.

#pragma once

#include <berth/endpoint.hpp>

#include <array>
#include <bit>
#include <cstdint>

namespace berth::net {

// The finaliser of MurmurHash3: each bit of the input moves half of those of the output.
constexpr std::uint64_t mixed(std::uint64_t value) {
    value ^= value >> 33U;
    value *= 0xff51afd7ed558ccdULL;
    value ^= value >> 33U;
    value *= 0xc4ceb9fe1a85ec53ULL;
    return value ^ (value >> 33U);
}

inline std::uint64_t hash_of_address(const IpEndpoint& peer, std::uint64_t key) {
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(peer.address);
    return mixed(mixed(mixed(key ^ peer.family) ^ halves[0]) ^ halves[1]);
}

}  // namespace berth::net
