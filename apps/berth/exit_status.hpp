// SPDX-License-Identifier: MIT
//
// Exit status: the numbers that the program itself decides on. A stop's own are those of
// StopReport::exit_code.

#pragma once

namespace berth::app {

inline constexpr int kSucceeded = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

}  // namespace berth::app
