// SPDX-License-Identifier: MIT
//
// SplitMix: numbers by chance from a seed: where one question to the kernel has to do.
//
// Not for secrets: who sees some can tell the others.
//
// See:       Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014.

#pragma once

#include <cstdint>

namespace berth::base {

class SplitMix {
public:
    explicit SplitMix(std::uint64_t seed) : state_(seed) {}

    // In [0, 1).
    double fraction() {
        std::uint64_t mixed = state_ += 0x9e37'79b9'7f4a'7c15;
        mixed = (mixed ^ mixed >> 30U) * 0xbf58'476d'1ce4'e5b9;
        mixed = (mixed ^ mixed >> 27U) * 0x94d0'49bb'1331'11eb;
        return static_cast<double>((mixed ^ mixed >> 31U) >> 11U) * 0x1p-53;
    }

private:
    std::uint64_t state_;
};

}  // namespace berth::base
