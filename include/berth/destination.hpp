// SPDX-License-Identifier: MIT
//
// Destination: where a dial goes: an address, or a host name and a port.
//
// Text forms, read by parse() and written by to_string(), beside all of endpoint.hpp:
//
//     tcp://host.example:443   tcp4://host.example:443   udp://localhost:53   host.example:443
//
// tcp4 and udp4 ask for IPv4 addresses of the name, tcp6 and udp6 for IPv6, tcp and udp for both.
// A name is ASCII (write xn--… for others) and is looked up when it is dialled, each time anew;
// `localhost` and what ends in `.localhost` are [::1] and 127.0.0.1 without asking (RFC 6761).
//
// Lifetime:  a value.
// Threads:   no shared state.
// Errors:    parse() says the position and the reason.
// See:       RFC 1123, 2.1 (names), resolver.hpp.

#pragma once

#include <berth/endpoint.hpp>
#include <berth/export.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

class BERTH_EXPORT Destination {
public:
    static constexpr std::size_t kNameMax = 253;  // characters, without a dot at the end
    static constexpr std::size_t kLabelMax = 63;  // between two dots

    Destination() = default;
    // An address is a destination: it may stand wherever one is asked for.
    Destination(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

    static Result<Destination> parse(std::string_view text);

    bool is_name() const { return !host_.empty(); }
    const std::string& host() const { return host_; }  // empty for an address
    Scheme scheme() const { return endpoint_.scheme(); }
    std::uint16_t port() const { return endpoint_.port(); }
    bool is_udp() const { return endpoint_.is_udp(); }
    // The address; of a name one of family 0, with the scheme and the port.
    const Endpoint& endpoint() const { return endpoint_; }
    // One address of a name, with the scheme and the port.
    Endpoint at(const IpEndpoint& address) const;

    // The form that parse() reads back.
    std::string to_string() const;

    friend bool operator==(const Destination&, const Destination&) = default;

private:
    Endpoint endpoint_;
    std::string host_;
};

}  // namespace berth
