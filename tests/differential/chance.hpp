// SPDX-License-Identifier: MIT
//
// Chance: numbers from a seed, the same on every machine (splitmix64, Steele et al. 2014).
//
// Lifetime:  a value.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace berth::differential {

class Chance {
public:
    explicit Chance(std::uint64_t seed) : state_(seed) {}

    std::uint64_t number() {
        std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15U;
        mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
        return mixed ^ (mixed >> 31U);
    }
    std::size_t below(std::size_t bound) { return number() % bound; }  // bound > 0
    bool percent(unsigned share) { return below(100) < share; }

    template <class T, std::size_t Count>
    T one_of(const std::array<T, Count>& choices) {
        return choices[below(Count)];
    }
    template <class T, std::size_t Count>
    T one_of(const T (&choices)[Count]) {
        return choices[below(Count)];
    }

private:
    std::uint64_t state_;
};

}  // namespace berth::differential
