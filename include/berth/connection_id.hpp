// SPDX-License-Identifier: MIT
//
// ConnectionId: names a connection for ever.
//
// A value of 64 bits that anyone may keep for as long as they like. Ids are never reused: a slot
// whose generation would wrap is retired. What is sent to an id whose connection is gone
// completes as `stale`, and is counted.
//
// Lifetime:  a value.
// Threads:   no shared state.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace berth {

class ConnectionId {
public:
    constexpr ConnectionId() = default;  // no connection
    constexpr ConnectionId(std::uint32_t loop, std::uint32_t slot, std::uint32_t generation)
        : value_(std::uint64_t{loop & 0xffU} << 56U | std::uint64_t{slot & 0xff'ffffU} << 32U |
                 generation) {}
    static constexpr ConnectionId from_value(std::uint64_t value) {
        ConnectionId id;
        id.value_ = value;
        return id;
    }

    constexpr std::uint64_t value() const { return value_; }  // 0 is never valid
    constexpr std::uint32_t loop() const { return static_cast<std::uint32_t>(value_ >> 56U); }
    constexpr std::uint32_t slot() const {
        return static_cast<std::uint32_t>(value_ >> 32U) & 0xff'ffffU;
    }
    constexpr std::uint32_t generation() const { return static_cast<std::uint32_t>(value_); }

    explicit constexpr operator bool() const { return value_ != 0; }
    friend constexpr auto operator<=>(ConnectionId, ConnectionId) = default;

private:
    std::uint64_t value_ = 0;
};

}  // namespace berth

template <>
struct std::hash<berth::ConnectionId> {
    std::size_t operator()(berth::ConnectionId id) const noexcept {
        return std::hash<std::uint64_t>{}(id.value());
    }
};
