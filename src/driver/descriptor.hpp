// SPDX-License-Identifier: MIT
//
// Descriptor: a descriptor of a System. The real kernel's number, or a simulated world's: only
// the System and the drivers made for it may look inside.

#pragma once

namespace berth::driver {

enum class Descriptor : int { none = -1 };

constexpr int number(Descriptor descriptor) { return static_cast<int>(descriptor); }
constexpr bool is_open(Descriptor descriptor) { return number(descriptor) >= 0; }

}  // namespace berth::driver
