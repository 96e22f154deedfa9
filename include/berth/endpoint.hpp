// SPDX-License-Identifier: MIT
//
// Endpoint: an address that a server listens on or a peer has: IP and port, or a Unix name.
//
// Text forms, read by parse() and written by to_string():
//
//     tcp://127.0.0.1:9000     tcp4://:9000      tcp6://[fe80::1%eth0]:9000     tcp://[::]:0
//     udp:// udp4:// udp6://   like tcp
//     unix:///run/app.sock     unix:@abstract    unix://relative.sock
//     unixgram:  unixpacket:   like unix         127.0.0.1:9000 (no scheme means tcp)
//
// An empty host (or `*`) means every address: dual stack for tcp://, one family for tcp4/tcp6.
// The only host name that is understood is `localhost`; a dial takes others (destination.hpp).
//
// Lifetime:  a value.
// Threads:   no shared state.
// Errors:    parse() says the position and the reason.
// See:       ip(7), ipv6(7), unix(7), RFC 4007 (zones), RFC 3986 (brackets).

#pragma once

#include <berth/export.hpp>
#include <berth/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

enum class Scheme : std::uint8_t {
    tcp,  // both families where the address leaves it open
    tcp4,
    tcp6,  // IPV6_V6ONLY
    udp,
    udp4,
    udp6,
    unix_stream,    // unix:
    unix_datagram,  // unixgram:
    unix_packet,    // unixpacket:
};

// The 24 bytes that a connection keeps of each of its IP peers.
struct IpEndpoint {
    std::array<std::uint8_t, 16> address{};  // network order; an IPv4 address uses the first four
    std::uint32_t zone = 0;                  // interface index of a link-local IPv6 address
    std::uint16_t port = 0;                  // host order
    std::uint8_t family = 0;                 // 4, 6, or 0 for "not an IP address"

    friend bool operator==(const IpEndpoint&, const IpEndpoint&) = default;
};

class BERTH_EXPORT Endpoint {
public:
    // The longest path or abstract name that fits sun_path with its terminator (unix(7)).
    static constexpr std::size_t kUnixNameMax = 107;

    Endpoint() = default;
    Endpoint(Scheme scheme, const IpEndpoint& ip) : scheme_(scheme), ip_(ip) {}
    // `name` is a path, or "@…" for an abstract name; empty for an unnamed peer.
    Endpoint(Scheme scheme, std::string name) : scheme_(scheme), name_(std::move(name)) {}

    static Result<Endpoint> parse(std::string_view text);

    Scheme scheme() const { return scheme_; }
    bool is_unix() const { return scheme_ >= Scheme::unix_stream; }
    bool is_abstract() const { return is_unix() && name_.starts_with('@'); }
    bool is_udp() const { return scheme_ >= Scheme::udp && scheme_ <= Scheme::udp6; }
    // A byte stream with a listener: tcp and unix.
    bool is_stream() const { return scheme_ <= Scheme::tcp6 || scheme_ == Scheme::unix_stream; }
    // Whose listener accepts connections: those, and unixpacket.
    bool is_connected() const { return is_stream() || scheme_ == Scheme::unix_packet; }
    // Messages that belong to no connection: udp and unixgram.
    bool is_datagram() const { return !is_connected(); }
    bool is_wildcard() const;  // every local address
    bool is_v6_only() const { return scheme_ == Scheme::tcp6 || scheme_ == Scheme::udp6; }

    const IpEndpoint& ip() const { return ip_; }  // family 0 for Unix
    std::uint16_t port() const { return ip_.port; }
    const std::string& name() const { return name_; }  // path or @abstract; empty for IP

    // The form that parse() reads back. An unnamed Unix peer prints as "unix:".
    std::string to_string() const;

    friend bool operator==(const Endpoint&, const Endpoint&) = default;

private:
    Scheme scheme_ = Scheme::tcp;
    IpEndpoint ip_{};
    std::string name_;
};

}  // namespace berth
