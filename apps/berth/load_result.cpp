// SPDX-License-Identifier: MIT
//
// Load result: sums, rates, and two ways to print them.

#include "load_result.hpp"

#include "units.hpp"

#include <berth/clock.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string_view>

namespace berth::app {

namespace {

constexpr std::array<std::string_view, kEndings> kEndingNames{
    "clean", "closed", "refused", "reset", "timed_out", "short", "corrupt"};

struct Percentile {
    const char* name;   // for people
    const char* field;  // in JSON
    double percent;
};

constexpr std::array kPercentiles{Percentile{"p50", "p50", 50}, Percentile{"p90", "p90", 90},
                                  Percentile{"p99", "p99", 99}, Percentile{"p99.9", "p999", 99.9}};

// Tenths of a microsecond are the most that the measurement is worth.
double in_microseconds(Duration duration) {
    return std::round(static_cast<double>(duration.count()) / 100) / 10;
}

double per_second(std::uint64_t count, Duration elapsed) {
    return elapsed > Duration{0} ? static_cast<double>(count) / in_seconds(elapsed) : 0;
}

}  // namespace

std::string_view to_string(Ending ending) { return kEndingNames[static_cast<std::size_t>(ending)]; }

void Tally::add(const Tally& other) {
    requests += other.requests;
    unanswered += other.unanswered;
    lost += other.lost;
    not_sent += other.not_sent;
    std::ranges::transform(ends, other.ends, ends.begin(), std::plus{});
    latencies.add(other.latencies);
    last_answer = std::max(last_answer, other.last_answer);
    if (first_problem.empty()) first_problem = other.first_problem;
}

std::uint64_t LoadResult::errors() const {
    const auto count_of = [this](Ending ending) {
        return tally.ends[static_cast<std::size_t>(ending)];
    };
    const auto all = std::accumulate(tally.ends.begin(), tally.ends.end(), std::uint64_t{0});
    const auto closed_as_allowed = settings.allow_close ? count_of(Ending::closed) : 0;
    return all - count_of(Ending::clean) - closed_as_allowed;
}

std::string LoadResult::to_json() const {
    nlohmann::ordered_json latency;
    for (const auto& [name, field, percent] : kPercentiles) {
        latency[field] = in_microseconds(tally.latencies.percentile(percent));
    }
    latency["max"] = in_microseconds(tally.latencies.max());
    nlohmann::ordered_json ends;
    for (std::size_t at = 0; at < kEndings; ++at) ends[kEndingNames[at]] = tally.ends[at];

    const auto [size, depth] = settings.shape;
    nlohmann::ordered_json result{
        {"requests", tally.requests},
        {"requests_per_s", per_second(tally.requests, elapsed)},
        {"bytes_per_s", per_second(tally.requests * size, elapsed)},
        {"latency_us", latency},
        {"ends", ends},
        {"connections", settings.connections},
        {"size", size},
        {"depth", depth},
        {"duration_s", in_seconds(elapsed)},
        {"unanswered", tally.unanswered},
        {"lost", tally.lost},
        {"not_sent", tally.not_sent},
        {"errors", errors()},
    };
    if (cpu_per_request) result["cpu_us_per_request"] = *cpu_per_request / 1e3;
    return result.dump();
}

std::string LoadResult::to_text() const {
    const double mb_per_second = per_second(tally.requests * settings.shape.size, elapsed) / 1e6;
    std::string text =
        fmt::format("requests  {} verified in {:.2f} s: {:.0f} requests/s, {:.2f} MB/s\n",
                    with_separators(tally.requests), in_seconds(elapsed),
                    per_second(tally.requests, elapsed), mb_per_second);
    text += "latency ";
    for (const Percentile& percentile : kPercentiles) {
        text += fmt::format(" {} {} ·", percentile.name,
                            readable(tally.latencies.percentile(percentile.percent)));
    }
    text += fmt::format(" max {}\nends     ", readable(tally.latencies.max()));
    for (std::size_t at = 0; at < kEndings; ++at) {
        const bool is_worth_saying = at == 0 || tally.ends[at] > 0;
        if (is_worth_saying) text += fmt::format(" {} {}", kEndingNames[at], tally.ends[at]);
    }
    if (cpu_per_request) {
        text += fmt::format("\ncpu       {:.2f} us per request", *cpu_per_request / 1e3);
    }
    if (tally.unanswered > 0) text += fmt::format("\nunanswered {}", tally.unanswered);
    if (tally.lost > 0) text += fmt::format("\nlost      {}", tally.lost);
    if (tally.not_sent > 0)
        text += fmt::format("\nnot sent  {} (the rate was too high)", tally.not_sent);
    return text;
}

}  // namespace berth::app
