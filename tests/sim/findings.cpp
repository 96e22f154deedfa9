// SPDX-License-Identifier: MIT
//
// Findings: the trace.

#include "sim/findings.hpp"

#include <cstdio>

namespace berth::simulation {

void Findings::print(Instant now, const std::string& text) {
    const double milliseconds = std::chrono::duration<double, std::milli>(now.since_epoch).count();
    std::printf("%12.6f ms  %s\n", milliseconds, text.c_str());
}

}  // namespace berth::simulation
