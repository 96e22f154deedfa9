// SPDX-License-Identifier: MIT
//
// Place: from sixteen bytes to what they mean on a host with nothing but loopback, and back.

#include "driver/sim/place.hpp"

#include "base/outcome.hpp"
#include "os/ip_address.hpp"

#include <berth/endpoint.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace berth::driver::sim {

namespace {

std::uint32_t number_of(std::span<const std::uint8_t> bytes) {
    std::uint32_t number = 0;
    for (const auto byte : bytes.first(4)) number = number << 8U | byte;
    return number;
}

// Nothing: no address of this host.
std::optional<Place> local_v4(std::uint32_t host, std::uint16_t port) {
    if (host != 0 && host >> 24U != 127) return std::nullopt;
    return Place{.host = host, .port = port, .families = Place::kV4};
}

std::optional<Place> local_v6(const IpEndpoint& ip) {
    const auto front = std::span{ip.address}.first(ip.address.size() - 1);
    if (std::ranges::count(front, 0) != std::ssize(front) || ip.address.back() > 1) {
        return std::nullopt;
    }
    return Place{.host = ip.address.back(), .port = ip.port, .families = Place::kV6};
}

std::optional<Place> local(const IpEndpoint& ip) {
    const std::span bytes{ip.address};
    if (ip.family == 4) return local_v4(number_of(bytes), ip.port);
    if (os::is_v4_mapped(ip)) {
        return local_v4(number_of(bytes.subspan(os::kMappedPrefix.size())), ip.port);
    }
    return local_v6(ip);
}

// A v6 socket finds the address of another family too short; a v4 one looks at the family.
int wrong_family(const Families& socket, const IpEndpoint& ip) {
    if (socket.is_v6) return ip.family == 6 ? 0 : EINVAL;
    return ip.family == 4 ? 0 : EAFNOSUPPORT;
}

bool is_out_of_reach(const Families& socket, const IpEndpoint& ip) {
    return socket.is_v6_only && os::is_v4_mapped(ip);
}

}  // namespace

Place Families::everywhere() const {
    if (!is_v6) return {.families = Place::kV4};
    if (is_v6_only) return {.families = Place::kV6};
    return {.families = Place::kV4 | Place::kV6};
}

Outcome<Place> place_to_bind(const Families& socket, const IpEndpoint& ip) {
    if (const int error = wrong_family(socket, ip); error != 0) return base::failed(error);
    if (is_out_of_reach(socket, ip)) return base::failed(EINVAL);
    auto place = local(ip);
    if (!place) return base::failed(EADDRNOTAVAIL);
    if (place->is_wildcard() && place->families == Place::kV6) {
        place->families = socket.everywhere().families;
    }
    return *place;
}

Outcome<Place> place_to_reach(const Families& socket, const IpEndpoint& ip) {
    if (const int error = wrong_family(socket, ip); error != 0) return base::failed(error);
    if (is_out_of_reach(socket, ip)) return base::failed(ENETUNREACH);
    const auto place = local(ip);
    if (!place) return base::failed(ENETUNREACH);
    return *place;
}

IpEndpoint as_mapped(const IpEndpoint& v4) {
    IpEndpoint mapped{.port = v4.port, .family = 6};
    const auto rest = std::ranges::copy(os::kMappedPrefix, mapped.address.begin()).out;
    std::copy_n(v4.address.begin(), 4, rest);
    return mapped;
}

IpEndpoint as_ip(const Place& place) {
    IpEndpoint ip{.port = place.port};
    if (place.families == Place::kV4) {
        ip.family = 4;
        for (unsigned at = 0; at < 4; ++at) {
            ip.address[at] = static_cast<std::uint8_t>(place.host >> (24U - 8U * at));
        }
    } else {
        ip.family = 6;
        ip.address.back() = static_cast<std::uint8_t>(place.host);
    }
    return ip;
}

}  // namespace berth::driver::sim
