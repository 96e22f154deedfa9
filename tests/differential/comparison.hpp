// SPDX-License-Identifier: MIT
//
// Comparison: plays a script on the real kernel and on the simulated one, call by call, until
// they differ: in an answer, in the bytes received, or in the readiness of any open socket.
//
// The real side is given 20 ms to settle wherever waiting could make the two agree.

#pragma once

#include "differential/step.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth::differential {

struct Difference {
    std::string about;  // "connect", "readiness after send": no names in it
    std::string real;
    std::string simulated;
};

// One step as it was answered, for a reader.
struct Line {
    std::string step;
    std::string real;
    std::string simulated;
};

struct Verdict {
    std::optional<Difference> difference;
    std::size_t operations = 0;
    std::vector<std::size_t> exceptions_used;  // as many as exceptions() has, each a count
    std::optional<Difference> unsteady;        // of judge(): seen in one run, not in the next
    bool port_repeated = false;                // nothing can be said: play it again
    std::vector<Line> lines;
};

// Where a comparison takes place.
struct Site {
    std::uint64_t seed = 0;  // of the simulated kernel
    std::string directory;   // for Unix paths
};

// One run.
Verdict compare(const Script& script, const Site& site);

// As compare(), but it plays again when symbols were ambiguous, and believes in a difference only
// when each of several runs shows one: the real machine has other things to do meanwhile.
Verdict judge(const Script& script, const Site& site);

}  // namespace berth::differential
