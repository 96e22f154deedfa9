// SPDX-License-Identifier: MIT
//
// Endpoint, Destination: address to text.

#include <berth/endpoint.hpp>

#include "os/calls.hpp"
#include "os/endpoint_text.hpp"

#include <berth/destination.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

namespace {

std::string_view name_of(Scheme scheme) {
    return std::ranges::find(os::kSchemeNames, scheme, &os::SchemeName::scheme)->name;
}

// The name of the interface, or its number: when it has gone, and when the name is itself a
// number, which parse() would take for an index.
std::string zone_text(std::uint32_t zone) {
    const auto name = os::interface_name(zone);
    return name && !os::is_decimal(*name) ? *name : std::to_string(zone);
}

std::string host_text(const IpEndpoint& ip) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(ip.family == 4 ? AF_INET : AF_INET6, ip.address.data(), text.data(), text.size());
    if (ip.family == 4) return text.data();
    std::string host = std::string{"["} + text.data();
    if (ip.zone != 0) host += '%' + zone_text(ip.zone);
    return host + ']';
}

}  // namespace

namespace os {

std::string printable(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string shown;
    for (const char character : text) {
        if (!is_control(character)) {
            shown += character;
            continue;
        }
        const auto code = static_cast<unsigned char>(character);
        shown += {'\\', 'x', kDigits[code >> 4U], kDigits[code & 0xfU]};
    }
    return shown;
}

}  // namespace os

bool Endpoint::is_wildcard() const {
    return ip_.family != 0 && std::ranges::all_of(ip_.address, [](auto byte) { return byte == 0; });
}

std::string Endpoint::to_string() const {
    const std::string scheme{name_of(scheme_)};
    if (is_unix()) {
        const bool has_path = !name_.empty() && !is_abstract();
        return scheme + (has_path ? "://" : ":") + os::printable(name_);
    }
    if (ip_.family == 0) return scheme + ':';
    return scheme + "://" + host_text(ip_) + ':' + std::to_string(ip_.port);
}

Endpoint Destination::at(const IpEndpoint& address) const {
    IpEndpoint ip = address;
    ip.port = port();
    return {scheme(), ip};
}

std::string Destination::to_string() const {
    if (!is_name()) return endpoint_.to_string();
    return std::string(name_of(scheme())) + "://" + host_ + ':' + std::to_string(port());
}

}  // namespace berth
