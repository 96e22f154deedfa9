// SPDX-License-Identifier: MIT
//
// Log lines: fields and their quotes.

#include "engine/log_lines.hpp"

#include <algorithm>
#include <chrono>

namespace berth::engine {

namespace {

bool needs_quotes(std::string_view value) {
    return value.empty() || std::ranges::any_of(value, [](char character) {
               return static_cast<unsigned char>(character) <= ' ' || character == '"' ||
                      character == '\\' || character == '=' || character == '\x7f';
           });
}

// What could end the line, or the quotes, is not let through as it is.
void append_quoted(std::string& text, std::string_view value) {
    text += '"';
    for (const char character : value) {
        const bool is_control = static_cast<unsigned char>(character) < ' ' || character == '\x7f';
        if (character == '"' || character == '\\') text += '\\';
        text += is_control ? '?' : character;
    }
    text += '"';
}

}  // namespace

LogLine& LogLine::field(std::string_view key, std::string_view value) {
    text_.append(1, ' ').append(key).append(1, '=');
    if (needs_quotes(value)) {
        append_quoted(text_, value);
    } else {
        text_ += value;
    }
    return *this;
}

LogLine& LogLine::field(std::string_view key, std::uint64_t value) {
    return field(key, std::string_view(std::to_string(value)));
}

LogLine& LogLine::field(std::string_view key, Duration value) {
    const auto milliseconds = std::chrono::round<std::chrono::milliseconds>(value).count();
    return field(key, std::string_view(std::to_string(milliseconds)));
}

std::string transition_line(const TransitionFacts& facts) {
    LogLine line("lifecycle");
    line.field("from", to_string(facts.from)).field("to", to_string(facts.to));
    if (!facts.by.empty()) line.field("by", facts.by);
    line.field("connections", std::uint64_t{facts.connections});
    if (facts.left) line.field("deadline_ms", std::max(*facts.left, Duration::zero()));
    return line.text();
}

std::vector<std::string> forced_lines(const StopReport& report) {
    std::vector<std::string> lines;
    const std::size_t shown = std::min(report.forced.size(), kForcedLinesMax);
    for (std::size_t i = 0; i < shown; ++i) {
        const StopReport::Forced& forced = report.forced[i];
        lines.push_back(LogLine("forced")
                            .field("connection", forced.id.value())
                            .field("peer", forced.peer.to_string())
                            .field("state", forced.state)
                            .field("age_ms", forced.age)
                            .field("idle_ms", forced.idle)
                            .field("in_flight", std::uint64_t{forced.in_flight})
                            .field("bytes_unsent", forced.bytes_unsent)
                            .field("bytes_unconfirmed", forced.bytes_unconfirmed)
                            .text());
    }
    if (report.connections.forced > shown) {
        lines.push_back(LogLine("forced").field("more", report.connections.forced - shown).text());
    }
    return lines;
}

std::vector<std::string> stuck_lines(const StopReport& report) {
    std::vector<std::string> lines;
    lines.reserve(report.loops.stuck.size());
    for (const StopReport::StuckLoop& stuck : report.loops.stuck) {
        lines.push_back(LogLine("stuck")
                            .field("loop", std::uint64_t{stuck.loop})
                            .field("callback", stuck.callback)
                            .field("since_ms", stuck.since)
                            .field("thread", std::to_string(stuck.thread))
                            .text());
    }
    return lines;
}

LogLevel level_of(const StopReport& report) {
    switch (report.outcome) {
        case StopOutcome::clean:
        case StopOutcome::cancelled_during_boot:
        case StopOutcome::handed_over: return report.ok() ? LogLevel::info : LogLevel::warning;
        case StopOutcome::forced: return LogLevel::warning;
        case StopOutcome::port_held:
        case StopOutcome::stuck:
        case StopOutcome::failed: return LogLevel::error;
    }
    return LogLevel::error;
}

}  // namespace berth::engine
