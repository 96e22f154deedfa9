// SPDX-License-Identifier: MIT
//
// `berth timeline`: a stop as a picture, from its report.

#pragma once

#include "stop_picture.hpp"
#include "units.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace berth::app {

struct TimelineSettings {
    std::filesystem::path report;
    std::filesystem::path output;  // empty: standard output
};

// What `berth serve --report` writes, as far as a picture needs it.
Parsed<StopStory> parse_report(std::string_view json);

// The exit status of the program.
int timeline(const TimelineSettings& settings);

}  // namespace berth::app
