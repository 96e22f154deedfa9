// SPDX-License-Identifier: MIT
//
// KernelSystem: interfaces, groups, and options that a socket of both families has twice.

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/kernel_system.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/multicast.hpp"

#include <berth/endpoint.hpp>

#include <cerrno>
#include <cstdint>
#include <string>

namespace berth::driver {

namespace {

bool is_v6(Descriptor socket) {
    return os::option(number(socket), os::kSocketFamily).value_or(0) == AF_INET6;
}

// One that is for IPv6 alone may refuse the option of IPv4, and needs none.
Outcome<void> set_both(Descriptor socket, os::OptionName v4, os::OptionName v6, int value) {
    const auto set_v4 = os::set_option(number(socket), v4, value);
    return is_v6(socket) ? os::set_option(number(socket), v6, value) : set_v4;
}

Outcome<void> set_interface(Descriptor socket, int index) {
    const auto set_v4 =
        os::set_multicast_interface(number(socket), static_cast<std::uint32_t>(index));
    return is_v6(socket) ? os::set_option(number(socket), os::kMulticastInterface6, index) : set_v4;
}

}  // namespace

Outcome<void> KernelSystem::set_datagram_option(Descriptor socket, SocketOption option, int value) {
    switch (option) {
        case SocketOption::tell_destination:
            return set_both(socket, os::kTellDestination, os::kTellDestination6, value);
        case SocketOption::multicast_all:
            return set_both(socket, os::kMulticastAll, os::kMulticastAll6, value);
        case SocketOption::multicast_loop:
            return set_both(socket, os::kMulticastLoop, os::kMulticastLoop6, value);
        case SocketOption::multicast_hops:
            return set_both(socket, os::kMulticastHops, os::kMulticastHops6, value);
        case SocketOption::multicast_interface: return set_interface(socket, value);
        case SocketOption::count_drops:
            return os::set_option(number(socket), os::kCountDrops, value);
        case SocketOption::broadcast: return os::set_option(number(socket), os::kBroadcast, value);
        case SocketOption::merge: return os::set_option(number(socket), os::kMerge, value);
        default: return base::failed(ENOPROTOOPT);
    }
}

Outcome<std::uint32_t> KernelSystem::interface_index(const std::string& name) {
    return os::interface_index(name);
}

Outcome<void> KernelSystem::join_group(Descriptor socket, const IpEndpoint& group,
                                       std::uint32_t interface) {
    return os::join_group(number(socket), group, interface);
}

Outcome<void> KernelSystem::leave_group(Descriptor socket, const IpEndpoint& group,
                                        std::uint32_t interface) {
    return os::leave_group(number(socket), group, interface);
}

Outcome<void> KernelSystem::bind_to_device(Descriptor socket, const std::string& name) {
    return os::bind_to_device(number(socket), name);
}

}  // namespace berth::driver
