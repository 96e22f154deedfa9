// SPDX-License-Identifier: MIT
//
// inherited: socket options that tell what a socket is, and two ioctls.

#include "os/inherited.hpp"

#include "base/outcome.hpp"
#include "os/call.hpp"
#include "os/call_outcome.hpp"
#include "os/calls.hpp"
#include "os/raw_call.hpp"

#include <berth/endpoint.hpp>

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace berth::os {

namespace {

constexpr OptionName kSocketType{SOL_SOCKET, SO_TYPE};
constexpr OptionName kIsListening{SOL_SOCKET, SO_ACCEPTCONN};
constexpr OptionName kProtocol{SOL_SOCKET, SO_PROTOCOL};

Scheme scheme_of_unix(int type) {
    if (type == SOCK_SEQPACKET) return Scheme::unix_packet;
    return type == SOCK_DGRAM ? Scheme::unix_datagram : Scheme::unix_stream;
}

Scheme scheme_of(int listener, int family) {
    const int type = option(listener, kSocketType).value_or(0);
    if (family == AF_UNIX) return scheme_of_unix(type);
    const bool is_udp = type == SOCK_DGRAM;
    const bool is_v6_only = family == AF_INET6 && option(listener, kV6Only).value_or(0) != 0;
    if (is_udp) return is_v6_only ? Scheme::udp6 : Scheme::udp;
    return is_v6_only ? Scheme::tcp6 : Scheme::tcp;
}

// Others have datagrams, too: icmp(7), udplite(7).
bool is_of_udp(int descriptor) { return option(descriptor, kProtocol).value_or(0) == IPPROTO_UDP; }

// A socket of datagrams listens as soon as it has a port.
Inherited kind_of_datagrams(int descriptor) {
    const auto address = local_address(descriptor);
    const bool is_bound = address.has_value() && address->ip().port != 0;
    return is_bound ? Inherited::listener : Inherited::connection;
}

// One of packets is a listener or nothing that berth takes over; one of datagrams listens as soon
// as it has a name.
Inherited kind_of_unix_messages(int descriptor, int type) {
    const bool is_listening = option(descriptor, kIsListening).value_or(0) != 0;
    const auto address = local_address(descriptor);
    const bool is_named =
        address.has_value() && !address->endpoint(Scheme::unix_datagram).name().empty();
    const bool is_listener = type == SOCK_DGRAM ? is_named : is_listening;
    return is_listener ? Inherited::listener : Inherited::other_socket;
}

Inherited kind_of_known(int descriptor, int family, int type) {
    if (family != AF_UNIX && type == SOCK_DGRAM) return kind_of_datagrams(descriptor);
    if (family == AF_UNIX && (type == SOCK_DGRAM || type == SOCK_SEQPACKET)) {
        return kind_of_unix_messages(descriptor, type);
    }
    if (type != SOCK_STREAM) return Inherited::other_socket;
    const bool is_listening = option(descriptor, kIsListening).value_or(0) != 0;
    return is_listening ? Inherited::listener : Inherited::connection;
}

}  // namespace

Inherited kind_of_inherited(int descriptor) {
    const auto type = option(descriptor, kSocketType);
    if (type.errno_value() == EBADF) return Inherited::not_open;
    if (!type) return Inherited::no_socket;
    const int family = option(descriptor, kSocketFamily).value_or(AF_UNSPEC);
    const bool is_known = family == AF_INET || family == AF_INET6 || family == AF_UNIX;
    return is_known ? kind_of_known(descriptor, family, *type) : Inherited::other_socket;
}

base::Outcome<Endpoint> inherited_endpoint(int listener) {
    const auto address = local_address(listener);
    if (!address) return base::failed(address.errno_value());
    return address->endpoint(scheme_of(listener, address->family()));
}

base::Outcome<Scheme> scheme_of_connection(int descriptor) {
    const auto type = option(descriptor, kSocketType);
    if (!type) return base::failed(type.errno_value());
    const int family = option(descriptor, kSocketFamily).value_or(AF_UNSPEC);
    const bool is_unix = family == AF_UNIX;
    if (!is_unix && family != AF_INET && family != AF_INET6) return base::failed(ESOCKTNOSUPPORT);
    if (option(descriptor, kIsListening).value_or(0) != 0) return base::failed(EINVAL);
    if (is_unix) return scheme_of_unix(*type);
    if (*type == SOCK_STREAM) return Scheme::tcp;
    if (*type == SOCK_DGRAM && is_of_udp(descriptor)) return Scheme::udp;
    return base::failed(ESOCKTNOSUPPORT);
}

base::Outcome<void> make_ours(int descriptor) {
    int yes = 1;
    for (const long request : {long{FIONBIO}, long{FIOCLEX}}) {
        const auto done = outcome<void>(raw_call(Call::ioctl, descriptor, request, &yes));
        if (!done) return done;
    }
    return {};
}

}  // namespace berth::os
