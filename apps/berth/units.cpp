// SPDX-License-Identifier: MIT
//
// Units: the tables of units, and one reader for both of them.

#include "units.hpp"

#include <berth/clock.hpp>

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace berth::app {

namespace {

struct Unit {
    std::string_view name;
    double factor;
};

constexpr std::array kTimeUnits{Unit{"ns", 1},  Unit{"us", 1e3}, Unit{"ms", 1e6},
                                Unit{"s", 1e9}, Unit{"m", 60e9}, Unit{"h", 3'600e9}};
constexpr double kKibi = 0x1p10;
constexpr double kMebi = 0x1p20;
constexpr double kGibi = 0x1p30;
constexpr std::array kSizeUnits{
    Unit{"B", 1},     Unit{"", 1},        Unit{"K", kKibi}, Unit{"KiB", kKibi},
    Unit{"M", kMebi}, Unit{"MiB", kMebi}, Unit{"G", kGibi}, Unit{"GiB", kGibi},
};

constexpr double kDurationMax = 1e18;  // 31 years: what a 64-bit count of nanoseconds holds
constexpr double kSizeMax = 0x1p50;    // every whole number up to here is exact in a double

// A number and one of `units`, as a multiple of the smallest unit.
std::optional<double> parse_quantity(std::string_view text, std::span<const Unit> units) {
    double number = 0;
    const char* const end = std::to_address(text.end());
    // No sign, no "inf", no exponent: from_chars would take them.
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    const auto read =
        std::from_chars(std::to_address(text.begin()), end, number, std::chars_format::fixed);
    if (read.ec != std::errc{}) return std::nullopt;
    const std::string_view name(read.ptr, static_cast<std::size_t>(end - read.ptr));
    for (const Unit& unit : units) {
        if (unit.name == name) return number * unit.factor;
    }
    return std::nullopt;
}

// In the largest unit that leaves a whole number; of two names for one unit, the later.
std::string shortest(std::uint64_t number, std::span<const Unit> units) {
    for (const Unit& unit : std::views::reverse(units)) {
        const auto factor = static_cast<std::uint64_t>(unit.factor);
        const bool is_whole = number >= factor && number % factor == 0;
        if (is_whole) return fmt::format("{}{}", number / factor, unit.name);
    }
    return std::to_string(number);
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
    if (text == "0") return Duration{0};
    const auto nanoseconds = parse_quantity(text, kTimeUnits);
    if (!nanoseconds || *nanoseconds > kDurationMax) {
        return std::unexpected(fmt::format(
            "'{}' is not a duration; write a number and a unit (us, ms, s, m, h), such as 250ms "
            "or 30s",
            text));
    }
    return Duration{std::llround(*nanoseconds)};
}

Parsed<std::size_t> parse_size(std::string_view text) {
    const auto bytes = parse_quantity(text, kSizeUnits);
    if (!bytes || *bytes > kSizeMax || *bytes != std::floor(*bytes)) {
        return std::unexpected(fmt::format(
            "'{}' is not a size; write whole bytes, if you like with KiB, MiB or GiB, such as "
            "64KiB",
            text));
    }
    return static_cast<std::size_t>(*bytes);
}

Parsed<std::uint64_t> parse_count(std::string_view text, Range range) {
    std::uint64_t number = 0;
    const char* const end = std::to_address(text.end());
    const auto read = std::from_chars(std::to_address(text.begin()), end, number);
    const bool is_whole = read.ec == std::errc{} && read.ptr == end;
    if (!is_whole || number < range.least || number > range.most) {
        return std::unexpected(
            fmt::format("'{}' is not a whole number from {} to {}", text, range.least, range.most));
    }
    return number;
}

std::string duration_text(Duration duration) {
    if (duration == Duration{0}) return "0";
    return shortest(static_cast<std::uint64_t>(duration.count()), kTimeUnits);
}

std::string size_text(std::size_t bytes) { return shortest(bytes, kSizeUnits); }

std::string with_separators(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string readable(Duration duration) {
    auto value = static_cast<double>(duration.count());
    std::string_view unit = "ns";
    for (const std::string_view larger : {"us", "ms", "s"}) {
        if (value < 1e3) break;
        value /= 1e3;
        unit = larger;
    }
    const int decimals = unit == "ns" || value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return fmt::format("{:.{}f} {}", value, decimals, unit);
}

}  // namespace berth::app
