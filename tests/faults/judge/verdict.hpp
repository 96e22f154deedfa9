// SPDX-License-Identifier: MIT
//
// Verdict: what must hold after every run, whatever the fault was, and what this fault excuses.

#pragma once

#include "faults/board.hpp"
#include "faults/judge/run.hpp"

#include <string>
#include <vector>

namespace berth::test {

// What did not hold, one sentence each.
std::vector<std::string> violations(const Board& board, const RunResult& result, Stop stop);

}  // namespace berth::test
