// SPDX-License-Identifier: MIT
//
// TimerId: the name of one timer of one loop, for ever.
//
// Counted per loop and never given out again: an id kept after its timer is over names nothing.
//
// Lifetime:  a value.
// Threads:   any.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace berth {

class TimerId {
public:
    constexpr TimerId() = default;  // no timer
    constexpr TimerId(std::uint32_t loop, std::uint64_t number)
        : value_(std::uint64_t{loop & 0xffU} << 56U | (number & kNumberMask)) {}

    constexpr std::uint64_t value() const { return value_; }  // 0 is never valid
    constexpr std::uint32_t loop() const { return static_cast<std::uint32_t>(value_ >> 56U); }
    constexpr std::uint64_t number() const { return value_ & kNumberMask; }  // from 1

    explicit constexpr operator bool() const { return value_ != 0; }
    friend constexpr auto operator<=>(TimerId, TimerId) = default;

private:
    static constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << 56U) - 1;

    std::uint64_t value_ = 0;
};

}  // namespace berth

template <>
struct std::hash<berth::TimerId> {
    std::size_t operator()(berth::TimerId id) const noexcept {
        return std::hash<std::uint64_t>{}(id.value());
    }
};
