// SPDX-License-Identifier: MIT
//
// Log lines: what an engine says about its life, as text that programs can read.
//
//     lifecycle from=ready to=quiescing by="signal 15" connections=412 deadline_ms=30000
//
// A line is a subject and fields: key=value, quoted where it holds more than a word. The last
// line of a stop is StopReport::to_string().
//
// Threads:   pure.
// See:       docs/guides/observing.md.

#pragma once

#include <berth/clock.hpp>
#include <berth/engine_state.hpp>
#include <berth/logger.hpp>
#include <berth/report.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::engine {

class LogLine {
public:
    explicit LogLine(std::string_view subject) : text_(subject) {}

    LogLine& field(std::string_view key, std::string_view value);
    LogLine& field(std::string_view key, std::uint64_t value);
    LogLine& field(std::string_view key, Duration value);  // whole milliseconds

    const std::string& text() const { return text_; }

private:
    std::string text_;
};

// One step of an engine's life.
struct TransitionFacts {
    EngineState from;
    EngineState to;
    std::string_view by{};  // who asked for the stop; empty: nobody
    std::size_t connections = 0;
    std::optional<Duration> left{};  // to the stop's deadline
};

std::string transition_line(const TransitionFacts& facts);

// One line per connection that the deadline cut off, at most kForcedLinesMax, and one that says
// how many more there were.
inline constexpr std::size_t kForcedLinesMax = 10;
std::vector<std::string> forced_lines(const StopReport& report);

// One line per loop that did not come back.
std::vector<std::string> stuck_lines(const StopReport& report);

// How loud the report's own line is.
LogLevel level_of(const StopReport& report);

}  // namespace berth::engine
