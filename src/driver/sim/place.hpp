// SPDX-License-Identifier: MIT
//
// Place: where a socket stands on the one simulated host: an address and a port.
//
// The host has the addresses 127.0.0.0/8 and ::1 and no others. An IPv4-mapped address is the
// IPv4 address that it holds, and the wildcard of a dual-stack socket stands in both families.
//
// See:       ip(7), ipv6(7).

#pragma once

#include "base/outcome.hpp"

#include <berth/endpoint.hpp>

#include <compare>
#include <cstdint>

namespace berth::driver::sim {

using base::Outcome;

struct Place {
    static constexpr std::uint8_t kV4 = 1;
    static constexpr std::uint8_t kV6 = 2;

    std::uint32_t host = 0;  // 0: every address of its families
    std::uint16_t port = 0;
    std::uint8_t families = 0;  // kV4, kV6, or both

    bool is_wildcard() const { return host == 0; }
    friend auto operator<=>(const Place&, const Place&) = default;
};

// Could a packet be meant for both? Ports are not compared.
constexpr bool overlap(const Place& a, const Place& b) {
    return (a.families & b.families) != 0 && (a.host == 0 || b.host == 0 || a.host == b.host);
}

// 127.0.0.1 or ::1.
constexpr std::uint32_t loopback_of(std::uint8_t family) {
    return family == Place::kV4 ? 0x7f000001 : 1;
}

// The families of a socket, and so its place before it has one.
struct Families {
    bool is_v6 = false;
    bool is_v6_only = false;

    Place everywhere() const;
};

// What bind(2) makes of an address, and what connect(2) does. The wildcard stays what it is.
Outcome<Place> place_to_bind(const Families& socket, const IpEndpoint& ip);
Outcome<Place> place_to_reach(const Families& socket, const IpEndpoint& ip);

// ::ffff:a.b.c.d for a.b.c.d.
IpEndpoint as_mapped(const IpEndpoint& v4);

// As getsockname(2) tells it, IPv4-mapped addresses as IPv4.
IpEndpoint as_ip(const Place& place);

}  // namespace berth::driver::sim
