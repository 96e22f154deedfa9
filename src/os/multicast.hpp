// SPDX-License-Identifier: MIT
//
// Multicast groups, and the interface of a socket.
//
// Errors:    errno values.
// See:       ip(7), ipv6(7), socket(7), udp(7).

#pragma once

#include "base/outcome.hpp"
#include "os/calls.hpp"

#include <berth/endpoint.hpp>

#include <netinet/in.h>

#include <cstdint>
#include <string>

namespace berth::os {

inline constexpr OptionName kMulticastAll{IPPROTO_IP, IP_MULTICAST_ALL};
inline constexpr OptionName kMulticastLoop{IPPROTO_IP, IP_MULTICAST_LOOP};
inline constexpr OptionName kMulticastHops{IPPROTO_IP, IP_MULTICAST_TTL};
inline constexpr OptionName kMulticastAll6{IPPROTO_IPV6, 29};  // IPV6_MULTICAST_ALL, linux/in6.h
inline constexpr OptionName kMulticastLoop6{IPPROTO_IPV6, IPV6_MULTICAST_LOOP};
inline constexpr OptionName kMulticastHops6{IPPROTO_IPV6, IPV6_MULTICAST_HOPS};
inline constexpr OptionName kMulticastInterface6{IPPROTO_IPV6, IPV6_MULTICAST_IF};
inline constexpr OptionName kSegment{IPPROTO_UDP, 103};  // UDP_SEGMENT, linux/udp.h
inline constexpr OptionName kMerge{IPPROTO_UDP, 104};    // UDP_GRO

// By the interface of that index; 0: the kernel chooses.
Outcome<void> join_group(int socket, const IpEndpoint& group, std::uint32_t interface);
Outcome<void> leave_group(int socket, const IpEndpoint& group, std::uint32_t interface);
Outcome<void> set_multicast_interface(int socket, std::uint32_t interface);  // of IPv4
Outcome<void> bind_to_device(int socket, const std::string& name);           // SO_BINDTODEVICE

}  // namespace berth::os
