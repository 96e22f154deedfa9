// SPDX-License-Identifier: MIT
//
// dial_order: sorting out, and taking turns.

#include "net/dial_order.hpp"

#include "os/ip_address.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace berth::net {

namespace {

AddressFamily family_of(Scheme scheme) {
    switch (scheme) {
        case Scheme::tcp4:
        case Scheme::udp4: return AddressFamily::v4;
        case Scheme::tcp6:
        case Scheme::udp6: return AddressFamily::v6;
        default: return AddressFamily::any;
    }
}

bool is_of(AddressFamily family, const IpEndpoint& address) {
    switch (family) {
        case AddressFamily::v4: return address.family == os::kIpv4;
        case AddressFamily::v6: return address.family == os::kIpv6;
        case AddressFamily::any: break;
    }
    return address.family == os::kIpv4 || address.family == os::kIpv6;
}

bool is_localhost(std::string_view name) {
    constexpr std::string_view kLocalhost = "localhost";
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.size() < kLocalhost.size()) return false;
    const auto label = name.substr(name.size() - kLocalhost.size());
    const auto is_same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == b;
    };
    if (!std::ranges::equal(label, kLocalhost, is_same)) return false;
    const auto before = name.substr(0, name.size() - kLocalhost.size());
    return before.empty() || before.ends_with('.');
}

}  // namespace

AddressFamily wanted_family(const Destination& to, const std::optional<Endpoint>& local) {
    const AddressFamily wanted = family_of(to.scheme());
    if (wanted != AddressFamily::any || !local) return wanted;
    return local->ip().family == os::kIpv4 ? AddressFamily::v4 : AddressFamily::v6;
}

std::vector<Endpoint> dial_order(const Destination& to, AddressFamily family,
                                 std::span<const IpEndpoint> addresses) {
    std::vector<Endpoint> first;   // of the family that the best address has
    std::vector<Endpoint> second;  // of the other
    for (const IpEndpoint& address : addresses) {
        if (!is_of(family, address)) continue;
        const Endpoint endpoint = to.at(address);
        const bool is_first = first.empty() || first[0].ip().family == address.family;
        std::vector<Endpoint>& own = is_first ? first : second;
        if (std::ranges::find(own, endpoint) == own.end()) own.push_back(endpoint);
    }
    std::vector<Endpoint> order;
    const std::size_t count = std::max(first.size(), second.size());
    for (std::size_t i = 0; i < count && order.size() < kDialAddressesMax; ++i) {
        if (i < first.size()) order.push_back(first[i]);
        if (i < second.size() && order.size() < kDialAddressesMax) order.push_back(second[i]);
    }
    return order;
}

std::vector<IpEndpoint> addresses_of_localhost(std::string_view name) {
    if (!is_localhost(name)) return {};
    IpEndpoint v6{.family = os::kIpv6};
    v6.address.back() = 1;
    return {v6, IpEndpoint{.address = {127, 0, 0, 1}, .family = os::kIpv4}};
}

}  // namespace berth::net
