// SPDX-License-Identifier: MIT
//
// gate: the keeper of the library's gate: counts every system call, and lets one of them fail.

#pragma once

#include "faults/board.hpp"

namespace berth::test {

// From now on the board says what happens at the gate. Before that every call passes uncounted.
void keep_gate(Board& board);

}  // namespace berth::test
