// SPDX-License-Identifier: MIT
//
// Flags: the kinds of flags that commands have: durations, sizes, counts, choices.
//
// The texts of defaults come from the settings themselves, so that help cannot be wrong about
// them. Of CLI11 only the files that define flags know.
//
// Lifetime:  what a flag is stored into outlives the parsing.
// Errors:    CLI::ValidationError with the name of the flag.

#pragma once

#include "units.hpp"

#include <berth/clock.hpp>
#include <berth/destination.hpp>
#include <berth/endpoint.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>  // IWYU pragma: keep (App.hpp declares only what is defined there)
#include <CLI/Error.hpp>
#include <CLI/Formatter.hpp>  // IWYU pragma: keep (likewise)
#include <CLI/Option.hpp>
#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace berth::app {

struct Flag {
    std::string name;
    std::string meaning;
};

// A flag whose value `parse` understands, or explains.
template <class T, class Parse>
CLI::Option* add_value(CLI::App& command, const Flag& flag, T& into, Parse parse) {
    const auto store = [name = flag.name, &into, parse](const std::string& text) {
        const auto value = parse(text);
        if (!value) throw CLI::ValidationError(name, value.error());
        into = static_cast<T>(*value);
    };
    return command.add_option_function<std::string>(flag.name, store, flag.meaning);
}

void add_duration(CLI::App& command, const Flag& flag, Duration& into);
void add_size(CLI::App& command, const Flag& flag, std::size_t& into);
void add_switch(CLI::App& command, const Flag& flag, bool& into);  // BOOL

template <class T>
CLI::Option* add_count(CLI::App& command, const Flag& flag, T& into, Range range) {
    const auto parse = [range](const std::string& text) { return parse_count(text, range); };
    return add_value(command, flag, into, parse)->type_name("N");
}

template <class T>
struct Choice {
    std::string_view name;
    std::optional<T> value;  // none: named by the contract, not there yet
};

template <class T>
Parsed<T> choose(std::string_view text, std::span<const Choice<T>> choices) {
    std::string known;
    bool is_coming = false;
    for (const auto& [name, value] : choices) {
        if (name == text && value) return *value;
        if (name == text) is_coming = true;
        if (value) known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
    }
    const std::string_view problem = is_coming ? "does not exist yet" : "is not known";
    return std::unexpected(fmt::format("'{}' {}; choose one of: {}", text, problem, known));
}

template <class T, std::size_t N>
CLI::Option* add_choice(CLI::App& command, const Flag& flag, T& into,
                        const std::array<Choice<T>, N>& choices) {
    const auto parse = [&choices](const std::string& text) {
        return choose(text, std::span<const Choice<T>>(choices));
    };
    return add_value(command, flag, into, parse)->type_name("NAME");
}

// An address of a byte stream; or that, or one of UDP.
Parsed<Endpoint> parse_stream_address(const std::string& text);
Parsed<Endpoint> parse_address(const std::string& text);
// A server's address, or its name: what a client can connect to; or that, of a byte stream. Names
// are for streams.
Parsed<Destination> parse_target(const std::string& text);
Parsed<Destination> parse_stream_target(const std::string& text);
// What is wrong with an address; empty: nothing.
std::string explain_stream_address(const std::string& text);
std::string explain_address(const std::string& text);

}  // namespace berth::app
