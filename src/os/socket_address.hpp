// SPDX-License-Identifier: MIT
//
// SocketAddress: an address as the kernel wants it, made from an Endpoint and turned back.
//
// Peculiarities of the kernel that end here: an abstract Unix name starts with NUL and is as long
// as the length says; an unnamed peer has no path at all; a dual-stack socket shows IPv4
// addresses as IPv4-mapped IPv6 ones.
//
// Lifetime:  a value.
// See:       unix(7), ip(7), ipv6(7).

#pragma once

#include "base/outcome.hpp"

#include <berth/endpoint.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace berth::os {

using base::Outcome;

class SocketAddress {
public:
    // Room for an address that the kernel will write.
    SocketAddress() = default;

    // ENAMETOOLONG or EINVAL for a Unix name that no socket can have, EAFNOSUPPORT for Endpoint{}.
    static Outcome<SocketAddress> of(const Endpoint& endpoint);
    static SocketAddress of(const IpEndpoint& ip);
    static SocketAddress of(const sockaddr_in6& address);
    // A path, or "@..." for an abstract name; the errors of of(Endpoint).
    static Outcome<SocketAddress> of_unix_name(std::string_view name);
    // With which bind(2) chooses an abstract name that nobody has: autobind, unix(7).
    static SocketAddress of_any_unix_name();

    int family() const { return storage_.ss_family; }
    // Family 0 for a Unix address. IPv4-mapped addresses come out as IPv4.
    IpEndpoint ip() const;
    Endpoint endpoint(Scheme scheme) const;
    // The Unix name in the first `length` bytes, without a copy: good until they change. Empty for
    // an unnamed one, and for a path that could be taken for an abstract name.
    std::string_view unix_name_in_place(std::size_t length);

    const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t length() const { return length_; }

    // For getsockname and its like.
    sockaddr* room() { return reinterpret_cast<sockaddr*>(&storage_); }
    socklen_t* room_length() { return &length_; }

private:
    template <class Address>
    static SocketAddress from(const Address& address, std::size_t length);
    template <class Address>
    Address as() const;
    std::string unix_name() const;

    sockaddr_storage storage_{};
    socklen_t length_ = sizeof(sockaddr_storage);
};

// AF_INET, AF_INET6 or AF_UNIX: of the socket that `endpoint` needs.
int socket_family(const Endpoint& endpoint);
// SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
int socket_type(Scheme scheme);

}  // namespace berth::os
