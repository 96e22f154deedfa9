// SPDX-License-Identifier: MIT
//
// endpoint_text: what reading and writing an Endpoint's text have in common.
//
// See:       include/berth/endpoint.hpp for the forms.

#pragma once

#include <berth/endpoint.hpp>

#include <array>
#include <string>
#include <string_view>

namespace berth::os {

struct SchemeName {
    Scheme scheme;
    std::string_view name;
};

inline constexpr std::array kSchemeNames{
    SchemeName{Scheme::tcp, "tcp"},
    SchemeName{Scheme::tcp4, "tcp4"},
    SchemeName{Scheme::tcp6, "tcp6"},
    SchemeName{Scheme::udp, "udp"},
    SchemeName{Scheme::udp4, "udp4"},
    SchemeName{Scheme::udp6, "udp6"},
    SchemeName{Scheme::unix_stream, "unix"},
    SchemeName{Scheme::unix_datagram, "unixgram"},
    SchemeName{Scheme::unix_packet, "unixpacket"},
};

constexpr bool is_control(char character) {
    return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
}

// `text` on one line: control characters, which a peer may put into its name, as \x0a.
std::string printable(std::string_view text);

constexpr bool is_decimal(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace berth::os
