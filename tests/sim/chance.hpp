// SPDX-License-Identifier: MIT
//
// Chance: a stream of random choices from one seed.
//
// Every part of a simulation draws from a stream of its own, so that leaving one part out does
// not change what the others do: that is what makes a schedule shrink.
//
// Threads:   one.

#pragma once

#include <berth/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace berth::simulation {

class Chance {
public:
    explicit constexpr Chance(std::uint64_t seed) : state_(seed) {}
    // Another stream for the same seed.
    constexpr Chance(std::uint64_t seed, std::uint64_t stream)
        : state_(mixed(seed) ^ mixed(~stream)) {}

    constexpr std::uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15U); }
    constexpr std::size_t below(std::size_t bound) { return next() % bound; }  // bound > 0
    constexpr std::size_t between(std::size_t least, std::size_t most) {
        return least + below(most - least + 1);
    }
    constexpr bool one_in(std::size_t many) { return below(many) == 0; }
    constexpr Duration duration(Duration most) {
        return Duration(static_cast<Duration::rep>(below(static_cast<std::size_t>(most.count()))));
    }
    // One of the alternatives. What is likelier stands there several times.
    template <class T>
    constexpr T pick(std::initializer_list<T> alternatives) {
        return alternatives.begin()[below(alternatives.size())];
    }

private:
    // splitmix64's finisher.
    static constexpr std::uint64_t mixed(std::uint64_t value) {
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31U);
    }

    std::uint64_t state_;
};

}  // namespace berth::simulation
