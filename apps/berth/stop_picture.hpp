// SPDX-License-Identifier: MIT
//
// Stop picture: phases as bars, and connections by state over the same time, as SVG.
//
// The same story gives the same picture, byte for byte.
//
// Lifetime:  values.
// See:       https://www.w3.org/TR/SVG11.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace berth::app {

// What a picture shows of a StopReport. Times are milliseconds since the stop was requested.
struct StopStory {
    struct Phase {
        std::string name;
        double start_ms = 0;
        double duration_ms = 0;
    };
    struct Sample {
        double at_ms = 0;
        std::uint64_t serving = 0;
        std::uint64_t flushing = 0;
        std::uint64_t lingering = 0;
    };

    std::string outcome;
    std::string requested_by;
    double deadline_ms = 0;
    double duration_ms = 0;
    std::vector<Phase> phases;
    std::vector<Sample> samples;
};

std::string draw(const StopStory& story);

}  // namespace berth::app
