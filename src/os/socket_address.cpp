// SPDX-License-Identifier: MIT
//
// SocketAddress: from one form to the other, byte by byte.

#include "os/socket_address.hpp"

#include "base/outcome.hpp"
#include "os/ip_address.hpp"

#include <berth/endpoint.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace berth::os {

namespace {

constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t kPathRoom = sizeof(sockaddr_un::sun_path);

IpEndpoint from_v4(const void* address, in_port_t port) {
    IpEndpoint ip{.port = ntohs(port), .family = 4};
    std::memcpy(ip.address.data(), address, sizeof(in_addr));
    return ip;
}

IpEndpoint from_v6(const sockaddr_in6& address) {
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
        return from_v4(&address.sin6_addr.s6_addr[kMappedPrefix.size()], address.sin6_port);
    }
    IpEndpoint ip{.zone = address.sin6_scope_id, .port = ntohs(address.sin6_port), .family = 6};
    std::memcpy(ip.address.data(), &address.sin6_addr, ip.address.size());
    return ip;
}

sockaddr_in to_v4(const IpEndpoint& ip) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(ip.port);
    std::memcpy(&address.sin_addr, ip.address.data(), sizeof address.sin_addr);
    return address;
}

sockaddr_in6 to_v6(const IpEndpoint& ip) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(ip.port);
    address.sin6_scope_id = ip.zone;
    std::memcpy(&address.sin6_addr, ip.address.data(), sizeof address.sin6_addr);
    return address;
}

}  // namespace

template <class Address>
SocketAddress SocketAddress::from(const Address& address, std::size_t length) {
    SocketAddress made;
    std::memcpy(&made.storage_, &address, length);
    made.length_ = static_cast<decltype(made.length_)>(length);
    return made;
}

template <class Address>
Address SocketAddress::as() const {
    Address address{};
    std::memcpy(&address, &storage_, sizeof address);
    return address;
}

Outcome<SocketAddress> SocketAddress::of(const Endpoint& endpoint) {
    if (endpoint.is_unix()) return of_unix_name(endpoint.name());
    if (endpoint.ip().family == 0) return base::failed(EAFNOSUPPORT);
    return of(endpoint.ip());
}

SocketAddress SocketAddress::of(const IpEndpoint& ip) {
    if (ip.family == 4) return from(to_v4(ip), sizeof(sockaddr_in));
    return from(to_v6(ip), sizeof(sockaddr_in6));
}

SocketAddress SocketAddress::of(const sockaddr_in6& address) {
    return from(address, sizeof address);
}

// A path ends with NUL; an abstract name starts with one and may contain more.
Outcome<SocketAddress> SocketAddress::of_unix_name(std::string_view name) {
    const bool is_abstract = name.starts_with('@');
    const std::size_t size = is_abstract ? name.size() : name.size() + 1;
    if (size > kPathRoom) return base::failed(ENAMETOOLONG);
    // An empty name would make bind(2) choose one: see below.
    if (name.empty() || (!is_abstract && name.contains('\0'))) return base::failed(EINVAL);

    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, name.size());
    if (is_abstract) address.sun_path[0] = '\0';
    return from(address, kPathOffset + size);
}

SocketAddress SocketAddress::of_any_unix_name() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    return from(address, kPathOffset);
}

IpEndpoint SocketAddress::ip() const {
    if (family() == AF_INET) {
        const auto address = as<sockaddr_in>();
        return from_v4(&address.sin_addr, address.sin_port);
    }
    if (family() == AF_INET6) return from_v6(as<sockaddr_in6>());
    return {};
}

Endpoint SocketAddress::endpoint(Scheme scheme) const {
    if (family() == AF_UNIX) return {scheme, unix_name()};
    return {scheme, ip()};
}

std::string SocketAddress::unix_name() const {
    if (length_ <= kPathOffset) return {};
    const auto address = as<sockaddr_un>();
    const std::size_t size = std::min<std::size_t>(length_ - kPathOffset, kPathRoom);
    if (address.sun_path[0] == '\0') return '@' + std::string{&address.sun_path[1], size - 1};
    std::string path{address.sun_path, std::find(address.sun_path, address.sun_path + size, '\0')};
    // A file whose name starts with @ is not an abstract name.
    return path.starts_with('@') ? "./" + path : path;
}

std::string_view SocketAddress::unix_name_in_place(std::size_t length) {
    if (length <= kPathOffset || family() != AF_UNIX) return {};
    char* const name = reinterpret_cast<char*>(&storage_) + kPathOffset;
    const std::size_t size = std::min(length - kPathOffset, kPathRoom);
    if (*name == '\0') {
        *name = '@';
        return {name, size};
    }
    if (*name == '@') return {};
    return {name, static_cast<std::size_t>(std::find(name, name + size, '\0') - name)};
}

int socket_family(const Endpoint& endpoint) {
    if (endpoint.is_unix()) return AF_UNIX;
    return endpoint.ip().family == 4 ? AF_INET : AF_INET6;
}

int socket_type(Scheme scheme) {
    switch (scheme) {
        case Scheme::tcp:
        case Scheme::tcp4:
        case Scheme::tcp6:
        case Scheme::unix_stream: return SOCK_STREAM;
        case Scheme::unix_packet: return SOCK_SEQPACKET;
        case Scheme::udp:
        case Scheme::udp4:
        case Scheme::udp6:
        case Scheme::unix_datagram: return SOCK_DGRAM;
    }
    return SOCK_STREAM;
}

}  // namespace berth::os
