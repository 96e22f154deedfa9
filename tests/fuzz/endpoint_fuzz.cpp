// SPDX-License-Identifier: MIT
//
// Endpoint::parse over any text: what it reads it writes and reads back as the same, and what it
// refuses it says in a line that names the place and the remedy.

#include "fuzz.hpp"
#include "os/endpoint_text.hpp"

#include <berth/bytes.hpp>
#include <berth/destination.hpp>
#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace berth::fuzz {

namespace {

void expect_round_trip(const Endpoint& endpoint) {
    const std::string text = endpoint.to_string();
    const auto again = Endpoint::parse(text);
    expect(again.has_value(), "what an endpoint prints is an address");
    expect(*again == endpoint, "what an endpoint prints reads back as the same");
    expect(again->to_string() == text, "an endpoint has one form");
}

void expect_consistent(const Endpoint& endpoint) {
    const bool has_ip = endpoint.ip().family != 0;
    expect(endpoint.is_unix() != has_ip, "an endpoint is of IP or of Unix");
    expect(endpoint.is_unix() != endpoint.name().empty(), "a name is Unix's, and there");
    expect(endpoint.name().size() <= Endpoint::kUnixNameMax, "a name fits sun_path");
    expect(!endpoint.is_v6_only() || endpoint.ip().family == 6, "tcp6 and udp6 mean IPv6");
}

// The number at the end of "… at position N".
std::size_t position_of(std::string_view detail) {
    const auto digits = detail.substr(detail.rfind(' ') + 1);
    std::size_t position = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), position);
    expect(read.ptr == digits.data() + digits.size(), "the detail ends with the position");
    return position;
}

void expect_help(const Error& error, std::string_view text) {
    expect(error.code() == ErrorCode::invalid_address, "the address is what is wrong");
    expect(!error.remedy().empty(), "a remedy is named");
    const std::size_t position = position_of(error.detail());
    expect(position >= 1 && position <= text.size() + 1, "the position is in the text");
    expect(std::ranges::none_of(error.to_string(), os::is_control), "an error is one line");
}

void try_destination(std::string_view text) {
    const auto to = Destination::parse(text);
    if (!to) return expect_help(to.error(), text);
    const auto again = Destination::parse(to->to_string());
    expect(again.has_value() && *again == *to, "what a destination prints reads back as the same");
    if (!to->is_name()) return expect_consistent(to->endpoint());
    expect(to->host().size() <= Destination::kNameMax + 1, "a name is bounded");
    expect(to->endpoint().ip().family == 0, "a name is no address");
}

}  // namespace

void try_input(Bytes input) {
    const std::string_view text = as_text(input);
    try_destination(text);
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) return expect_help(endpoint.error(), text);
    expect_consistent(*endpoint);
    expect_round_trip(*endpoint);
}

}  // namespace berth::fuzz
