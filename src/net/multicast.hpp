// SPDX-License-Identifier: MIT
//
// Multicast: the groups of one udp listener, and what its socket may send to many.
//
// The kernel gives a group's datagrams to every socket that may hear it: so none hears a group that
// it has not joined itself, and of a listener's sockets only one joins.
//
// Errors:    invalid_option for a group that could not be heard, with what to do; what the kernel
//            refuses by its errno.
// See:       ip(7), ipv6(7); docs/guides/datagrams.md.

#pragma once

#include "driver/system.hpp"

#include <berth/datagram_options.hpp>
#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <cstdint>
#include <string>

namespace berth::net {

class Multicast {
public:
    // `endpoint` is the listener's.
    Multicast(driver::System& system, const Endpoint& endpoint)
        : system_(system), endpoint_(endpoint) {}

    // What sockets need before they receive; with `joins`, also its groups.
    Result<void> prepare(driver::Descriptor socket, const DatagramOptions& options, bool joins);
    Result<void> join(driver::Descriptor socket, const MulticastGroup& group);
    Result<void> leave(driver::Descriptor socket, const MulticastGroup& group);

private:
    struct Place {
        IpEndpoint group;
        std::uint32_t interface = 0;  // 0: the kernel chooses
    };

    Result<Place> place_of(const MulticastGroup& group);
    Result<void> check(const IpEndpoint& group, const MulticastGroup& asked) const;
    Result<std::uint32_t> interface_index(const std::string& name);
    Result<void> set(driver::Descriptor socket, driver::SocketOption option, int value);
    Result<void> prepare_to_send(driver::Descriptor socket, const DatagramOptions& options);
    Result<void> join_own(driver::Descriptor socket, const DatagramOptions& options);
    Error refused(const MulticastGroup& group, const char* why, const char* remedy) const;

    driver::System& system_;
    const Endpoint& endpoint_;
};

bool is_multicast(const IpEndpoint& ip);
// Values that no socket can have.
Result<void> check(const DatagramOptions& options);

}  // namespace berth::net
