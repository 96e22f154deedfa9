// SPDX-License-Identifier: MIT
//
// PortDiagnosis as text for people and as JSON.

#include "base/port_text.hpp"

#include "base/json_writer.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using WallTime = std::chrono::system_clock::time_point;

std::string two_digits(unsigned number) {
    return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

// "2026-11-22", between and after it what RFC 3339 or a reader wants.
std::string utc_text(WallTime at, std::string_view between, std::string_view zone) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<seconds>(at - day));
    const auto part = [](auto count) { return two_digits(static_cast<unsigned>(count)); };
    return std::to_string(static_cast<int>(date.year()))
        .append("-" + two_digits(static_cast<unsigned>(date.month())))
        .append("-" + two_digits(static_cast<unsigned>(date.day())))
        .append(between)
        .append(part(time.hours().count()) + ":" + part(time.minutes().count()) + ":")
        .append(part(time.seconds().count()))
        .append(zone);
}

std::string holder_text(const PortHolder& holder) {
    std::string text = holder.command + " (pid " + std::to_string(holder.pid) + ", user ";
    text += holder.user.empty() ? std::to_string(holder.uid) : holder.user;
    if (holder.since) text += ", since " + utc_text(*holder.since, " ", " UTC");
    return text + ")";
}

std::string time_text(Duration time) {
    if (time < seconds{1}) {
        return std::to_string(std::chrono::ceil<milliseconds>(time).count()) + " ms";
    }
    return std::to_string(std::chrono::ceil<seconds>(time).count()) + " s";
}

std::string states_text(const std::vector<PortStateCount>& states) {
    std::string text;
    for (const PortStateCount& state : states) {
        if (!text.empty()) text += ", ";
        text.append(std::to_string(state.count)).append(" ").append(state.state);
        if (state.timer_max > Duration{}) text += " (longest " + time_text(state.timer_max) + ")";
    }
    return text;
}

void add_line(std::string& text, std::string_view name, std::string_view value) {
    if (!value.empty()) text.append("\n  ").append(name).append(value);
}

void write_holder(base::JsonWriter& json, const PortHolder& holder) {
    json.begin_object()
        .member("pid", static_cast<std::uint64_t>(holder.pid))
        .member("command", holder.command)
        .member("executable", holder.executable)
        .member("uid", std::uint64_t{holder.uid})
        .member("user", holder.user)
        .member("fd", static_cast<std::uint64_t>(holder.fd))
        .member("inode", holder.inode);
    if (holder.since) json.member("since", utc_text(*holder.since, "T", "Z"));
    json.end_object();
}

double milliseconds_of(Duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

void write_states(base::JsonWriter& json, const std::vector<PortStateCount>& states) {
    json.begin_object("states");
    for (const PortStateCount& state : states) json.member(state.state, state.count);
    json.end_object();
    json.begin_object("timers_ms");
    for (const PortStateCount& state : states) {
        if (state.timer_max > Duration{}) {
            json.member(state.state, milliseconds_of(state.timer_max));
        }
    }
    json.end_object();
}

}  // namespace

std::string base::headline(const PortDiagnosis& port) {
    const std::string address = port.endpoint.to_string();
    if (port.is_free) return address + " is free";
    if (port.holders.empty()) return address + " is taken";
    std::string text = address + " is held by " + holder_text(port.holders.front());
    std::uint64_t others = 0;
    for (const PortHolder& holder : port.holders) {
        if (holder.pid != port.holders.front().pid) ++others;
    }
    if (others > 0) text += " and " + std::to_string(others) + " more";
    return text;
}

std::string PortDiagnosis::to_string() const {
    std::string text = base::headline(*this);
    if (!is_free) {
        const std::string name(berth::to_string(cause));
        add_line(text, "cause:     ", name + ", " + std::string(berth::to_string(certainty)));
        add_line(text, "evidence:  ", evidence);
    }
    add_line(text, "sockets:   ", states_text(states));
    add_line(text, "remedy:    ", remedy);
    if (retry_after) add_line(text, "try again: ", "after " + time_text(*retry_after));
    return text;
}

std::string PortDiagnosis::to_json() const {
    base::JsonWriter json;
    json.begin_object()
        .member("address", endpoint.to_string())
        .member("state", is_free ? "free" : "busy")
        .member("cause", berth::to_string(cause))
        .member("certainty", berth::to_string(certainty));
    if (!holders.empty() && holders.front().since) {
        json.member("since", utc_text(*holders.front().since, "T", "Z"));
    }
    json.begin_array("holders");
    for (const PortHolder& holder : holders) write_holder(json, holder);
    json.end_array();
    write_states(json, states);
    json.member("errno", static_cast<std::uint64_t>(errno_value))
        .member("evidence", evidence)
        .member("remedy", remedy);
    if (retry_after) json.member("retry_after_ms", milliseconds_of(*retry_after));
    json.end_object();
    return json.text();
}

}  // namespace berth
