// SPDX-License-Identifier: MIT
//
// Outcome<T>: the result of one system call, a value or an errno.
//
// Inside berth a failed call is an errno and nothing more; the layer that knows the address and
// the phase turns it into a berth::Error. Outcome<void> is that errno itself, 0 for success: it
// comes back from each pass of a loop, in one register and with one test.
//
// See:       errno(3).

#pragma once

#include <expected>

namespace berth::base {

enum class Errno : int {};  // never 0

template <class T>
class [[nodiscard]] Outcome : public std::expected<T, Errno> {
public:
    using std::expected<T, Errno>::expected;
    int errno_value() const { return this->has_value() ? 0 : static_cast<int>(this->error()); }
};

template <>
class [[nodiscard]] Outcome<void> {
public:
    constexpr Outcome() = default;
    constexpr Outcome(std::unexpected<Errno> failure) : errno_(failure.error()) {}

    constexpr bool has_value() const { return errno_ == Errno{}; }
    constexpr explicit operator bool() const { return has_value(); }
    constexpr Errno error() const { return errno_; }
    constexpr int errno_value() const { return static_cast<int>(errno_); }

private:
    Errno errno_{};
};

inline std::unexpected<Errno> failed(int errno_value) {
    return std::unexpected<Errno>(Errno{errno_value});
}

}  // namespace berth::base
