// SPDX-License-Identifier: MIT
//
// Units: how people write durations, sizes and counts on a command line, and how they read them.
//
// Lifetime:  values.
// Threads:   no shared state.
// Errors:    a sentence that names the text and says what to write instead; the caller adds the
//            name of the flag.

#pragma once

#include <berth/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace berth::app {

template <class T>
using Parsed = std::expected<T, std::string>;

// "250ms", "1.5s", "2m", "1h"; of numbers without a unit only "0".
Parsed<Duration> parse_duration(std::string_view text);

// "4096", "64KiB", "1.5MiB", "1M": units are powers of 1,024. Always whole bytes.
Parsed<std::size_t> parse_size(std::string_view text);

struct Range {
    std::uint64_t least;
    std::uint64_t most;
};

// Decimal digits, within the range.
Parsed<std::uint64_t> parse_count(std::string_view text, Range range);

// The shortest texts that the parsers read back: "30s", "64KiB".
std::string duration_text(Duration duration);
std::string size_text(std::size_t bytes);

// Of a duration, for JSON and for rates.
inline double in_seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

// "1,234,567".
std::string with_separators(std::uint64_t number);
// "850 ns", "12.3 us", "4.56 ms", "7.89 s": three digits that matter.
std::string readable(Duration duration);

}  // namespace berth::app
