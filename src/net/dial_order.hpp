// SPDX-License-Identifier: MIT
//
// dial_order: which addresses of a name are tried, and in which order.
//
// The resolver's order is kept within each family, and families take turns, so that a family that
// does not work here costs one attempt and not all of them.
//
// See:       RFC 8305, 4; RFC 6724.

#pragma once

#include <berth/destination.hpp>
#include <berth/endpoint.hpp>
#include <berth/resolver.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace berth::net {

inline constexpr std::size_t kDialAddressesMax = 32;  // of one name; what comes after is not tried

// What `to` asks for, and `local` can reach.
AddressFamily wanted_family(const Destination& to, const std::optional<Endpoint>& local);

// Each once, and only those of that family.
std::vector<Endpoint> dial_order(const Destination& to, AddressFamily family,
                                 std::span<const IpEndpoint> addresses);

// Of names that are this machine, whoever is asked; empty: it is another one. RFC 6761, 6.3.
std::vector<IpEndpoint> addresses_of_localhost(std::string_view name);

}  // namespace berth::net
