// SPDX-License-Identifier: MIT
//
// Report file: where `--report FILE` puts the StopReport.
//
// Written beside its name and renamed onto it, so that a reader finds a whole report or none.
//
// Errors:    a sentence for people.

#pragma once

#include <berth/report.hpp>

#include <expected>
#include <filesystem>
#include <string>

namespace berth::app {

using Written = std::expected<void, std::string>;

// Whether a report could be written there: asked before a server runs for a year.
Written check_report_place(const std::filesystem::path& file);
Written write_report(const StopReport& report, const std::filesystem::path& file);

}  // namespace berth::app
