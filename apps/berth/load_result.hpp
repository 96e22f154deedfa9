// SPDX-License-Identifier: MIT
//
// Load result: what `berth load` found out, and how it says so.

#pragma once

#include "histogram.hpp"
#include "load.hpp"

#include <berth/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::app {

// How one connection, or the attempt to make one, ended.
enum class Ending : std::uint8_t {
    clean,    // every request answered, then both sides said goodbye
    closed,   // the server's goodbye between two answers, with requests unanswered
    refused,  // never connected; or no packet can be as long as a request
    reset,
    timed_out,  // no connection, no answer or no goodbye in time
    cut_short,  // the server's goodbye inside an answer
    corrupt,    // not the bytes that were sent
};

inline constexpr std::size_t kEndings = 7;

// The word in the output; `cut_short` is "short" there, which C++ keeps for itself.
std::string_view to_string(Ending ending);

// What one loop counts, and the sum of all loops.
struct Tally {
    std::uint64_t requests = 0;    // answered, every byte verified
    std::uint64_t unanswered = 0;  // sent, and no whole answer came
    std::uint64_t lost = 0;        // datagrams, or their answers, that were given up
    std::uint64_t not_sent = 0;    // due by --rate, and the connections were all busy
    std::array<std::uint64_t, kEndings> ends{};
    Histogram latencies;
    Instant last_answer{};
    std::string first_problem;  // of the first connection that could not be made

    std::uint64_t& ended(Ending ending) { return ends[static_cast<std::size_t>(ending)]; }
    void add(const Tally& other);
};

struct LoadResult {
    const LoadSettings& settings;
    Tally tally;
    Duration elapsed{};  // from the first request, or the end of the warm-up, to the last answer
    // Of the process that was watched, in nanoseconds; nothing if none was, or not to the end.
    std::optional<double> cpu_per_request = {};

    std::uint64_t errors() const;  // ends that are not as they should be
    std::string to_json() const;   // one line
    std::string to_text() const;   // for people, several lines
};

}  // namespace berth::app
