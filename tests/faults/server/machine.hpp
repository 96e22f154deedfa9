// SPDX-License-Identifier: MIT
//
// machine: the calls that an engine makes with other options than those of the server under test:
// for a hot restart, and to find out who has a port.

#pragma once

#include "faults/board.hpp"

namespace berth::test {

// What fails here must leave nothing behind; only a wrong address is an error of the start.
void ask_machine(Board& board);

}  // namespace berth::test
