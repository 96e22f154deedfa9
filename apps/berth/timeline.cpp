// SPDX-License-Identifier: MIT
//
// `berth timeline`: reads a report, writes a picture.

#include "timeline.hpp"

#include "exit_status.hpp"
#include "stop_picture.hpp"
#include "units.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <expected>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iostream>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>

namespace berth::app {

namespace {

using Json = nlohmann::json;

constexpr int kReportVersion = 1;

StopStory story_of(const Json& report) {
    StopStory story{.outcome = report.at("outcome"),
                    .requested_by = report.at("requested_by"),
                    .deadline_ms = report.at("deadline_ms"),
                    .duration_ms = report.at("duration_ms"),
                    .phases = {},
                    .samples = {}};
    for (const Json& phase : report.at("phases")) {
        story.phases.push_back({.name = phase.at("name"),
                                .start_ms = phase.at("start_ms"),
                                .duration_ms = phase.at("duration_ms")});
    }
    for (const Json& sample : report.at("samples")) {
        story.samples.push_back({.at_ms = sample.at("at_ms"),
                                 .serving = sample.at("serving"),
                                 .flushing = sample.at("flushing"),
                                 .lingering = sample.at("lingering")});
    }
    return story;
}

Parsed<std::string> read_file(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (stream.good() || stream.eof()) return text;
    return std::unexpected("it cannot be read");
}

bool write_picture(const std::string& picture, const std::filesystem::path& file) {
    if (file.empty()) return static_cast<bool>(std::cout << picture << std::flush);
    std::ofstream stream(file, std::ios::binary);
    return static_cast<bool>(stream << picture << std::flush);
}

}  // namespace

Parsed<StopStory> parse_report(std::string_view json) {
    const Json report = Json::parse(json, nullptr, false);
    if (!report.is_object()) return std::unexpected("it is not JSON, or not an object");
    try {
        if (const int version = report.at("version"); version != kReportVersion) {
            return std::unexpected(fmt::format("it has version {}, and this program knows {}",
                                               version, kReportVersion));
        }
        return story_of(report);
    } catch (const Json::exception& exception) {
        return std::unexpected(fmt::format("it is not a stop report: {}", exception.what()));
    }
}

int timeline(const TimelineSettings& settings) {
    const auto text = read_file(settings.report);
    const auto story = text ? parse_report(*text) : std::unexpected(text.error());
    if (!story) {
        std::cerr << "berth timeline: '" << settings.report.native() << "': " << story.error()
                  << "; give a file that `berth serve --report` has written\n";
        return kFailed;
    }
    if (write_picture(draw(*story), settings.output)) return kSucceeded;
    std::cerr << "berth timeline: '" << settings.output.native() << "' cannot be written\n";
    return kFailed;
}

}  // namespace berth::app
