// SPDX-License-Identifier: MIT
//
// Multicast: the calls, by the interfaces that both families have (RFC 3678).

#include "os/multicast.hpp"

#include "base/outcome.hpp"
#include "os/call.hpp"
#include "os/call_outcome.hpp"
#include "os/raw_call.hpp"
#include "os/socket_address.hpp"

#include <berth/endpoint.hpp>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace berth::os {

namespace {

Outcome<void> change_membership(int socket, int name, const IpEndpoint& group,
                                std::uint32_t interface) {
    const SocketAddress address = SocketAddress::of(group);
    group_req request{};
    request.gr_interface = interface;
    std::memcpy(&request.gr_group, address.data(), address.length());
    const int level = address.family() == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    return outcome<void>(raw_call(Call::set_option, socket, level, name, &request, sizeof request));
}

}  // namespace

Outcome<void> join_group(int socket, const IpEndpoint& group, std::uint32_t interface) {
    return change_membership(socket, MCAST_JOIN_GROUP, group, interface);
}

Outcome<void> leave_group(int socket, const IpEndpoint& group, std::uint32_t interface) {
    return change_membership(socket, MCAST_LEAVE_GROUP, group, interface);
}

Outcome<void> set_multicast_interface(int socket, std::uint32_t interface) {
    ip_mreqn request{};
    request.imr_ifindex = static_cast<int>(interface);
    return outcome<void>(
        raw_call(Call::set_option, socket, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request));
}

Outcome<void> bind_to_device(int socket, const std::string& name) {
    if (name.size() >= IFNAMSIZ) return base::failed(ENODEV);
    return outcome<void>(
        raw_call(Call::set_option, socket, SOL_SOCKET, SO_BINDTODEVICE, name.c_str(), name.size()));
}

}  // namespace berth::os
