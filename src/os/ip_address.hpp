// SPDX-License-Identifier: MIT
//
// ip_address: questions about the addresses of an IpEndpoint.
//
// Source:    RFC 4291, 2.5.5.2: an IPv4 address inside IPv6, ::ffff:0:0/96.

#pragma once

#include <berth/endpoint.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace berth::os {

inline constexpr std::uint8_t kIpv4 = 4;  // IpEndpoint::family
inline constexpr std::uint8_t kIpv6 = 6;

inline constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0,    0,
                                                            0, 0, 0, 0, 0xff, 0xff};

inline bool is_v4_mapped(const IpEndpoint& ip) {
    return ip.family == kIpv6 &&
           std::ranges::equal(std::span(ip.address).first<kMappedPrefix.size()>(), kMappedPrefix);
}

// ::ffff:127.0.0.1 as 127.0.0.1; every other address as it is.
inline IpEndpoint unmapped(const IpEndpoint& ip) {
    if (!is_v4_mapped(ip)) return ip;
    IpEndpoint plain{.zone = ip.zone, .port = ip.port, .family = kIpv4};
    std::ranges::copy(std::span(ip.address).last<4>(), plain.address.begin());
    return plain;
}

}  // namespace berth::os
