// SPDX-License-Identifier: MIT
//
// Flags: those that are no templates.

#include "flags.hpp"

#include "units.hpp"

#include <berth/clock.hpp>
#include <berth/destination.hpp>
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

namespace {

std::string streams_only(const std::string& text) {
    return fmt::format("'{}': streams only; use tcp:// or unix:", text);
}

Parsed<Destination> with_port(Destination to, const std::string& text) {
    if (!to.endpoint().is_unix() && to.port() == 0) {
        return std::unexpected(fmt::format(
            "'{}': nobody listens on port 0; give the port that the server reported", text));
    }
    return to;
}

}  // namespace

Parsed<Endpoint> parse_stream_address(const std::string& text) {
    auto endpoint = parse_address(text);
    if (endpoint && !endpoint->is_stream()) {
        return std::unexpected(streams_only(text));
    }
    return endpoint;
}

Parsed<Endpoint> parse_address(const std::string& text) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) return std::unexpected(endpoint.error().to_string());
    return *endpoint;
}

Parsed<Destination> parse_target(const std::string& text) {
    const auto to = Destination::parse(text);
    if (!to) return std::unexpected(to.error().to_string());
    if (to->is_name() && !to->is_udp()) return with_port(*to, text);
    const auto endpoint = parse_address(text);
    if (!endpoint) return std::unexpected(endpoint.error());
    if (endpoint->scheme() == Scheme::unix_datagram) {
        return std::unexpected(fmt::format(
            "'{}': load over Unix datagrams does not exist yet; use unixpacket:, or unix:, udp:// "
            "or tcp://",
            text));
    }
    return with_port(*endpoint, text);
}

Parsed<Destination> parse_stream_target(const std::string& text) {
    auto to = parse_target(text);
    if (to && !to->endpoint().is_stream()) return std::unexpected(streams_only(text));
    return to;
}

std::string explain_stream_address(const std::string& text) {
    const auto endpoint = parse_stream_address(text);
    return endpoint ? "" : endpoint.error();
}

std::string explain_address(const std::string& text) {
    const auto endpoint = parse_address(text);
    return endpoint ? "" : endpoint.error();
}

}  // namespace berth::app
