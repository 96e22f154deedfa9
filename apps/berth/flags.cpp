// SPDX-License-Identifier: MIT
//
// Flags: those that are no templates.

#include "flags.hpp"

#include "units.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>
#include <CLI/Option.hpp>
#include <fmt/core.h>

#include <cstddef>
#include <expected>
#include <string>

namespace berth::app {

void add_duration(CLI::App& command, const Flag& flag, Duration& into) {
    add_value(command, flag, into, parse_duration)
        ->type_name("D")
        ->default_str(duration_text(into));
}

void add_size(CLI::App& command, const Flag& flag, std::size_t& into) {
    add_value(command, flag, into, parse_size)->type_name("BYTES")->default_str(size_text(into));
}

void add_switch(CLI::App& command, const Flag& flag, bool& into) {
    command.add_option(flag.name, into, flag.meaning)
        ->type_name("BOOL")
        ->default_str(into ? "true" : "false");
}

void add_missing(CLI::App& command, const std::string& name) {
    const auto refuse = [name](const std::string&) {
        throw CLI::ValidationError(name, "this flag does not exist yet; leave it out");
    };
    command.add_option_function<std::string>(name, refuse)->expected(0, 1)->group("");
}

Parsed<Endpoint> parse_stream_address(const std::string& text) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) return std::unexpected(endpoint.error().to_string());
    if (!endpoint->is_stream()) {
        return std::unexpected(
            fmt::format("'{}': datagrams and packets do not exist yet; use tcp:// or unix:", text));
    }
    return *endpoint;
}

std::string explain_address(const std::string& text) {
    const auto endpoint = parse_stream_address(text);
    return endpoint ? "" : endpoint.error();
}

}  // namespace berth::app
