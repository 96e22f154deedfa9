// SPDX-License-Identifier: MIT
//
// Network: unshare(2), and loopback brought up.

#include "differential/network.hpp"

#include "os/owned_descriptor.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>

namespace berth::differential {

namespace {

bool bring_loopback_up() {
    const os::OwnedDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    std::ranges::copy(std::string_view{"lo"}, request.ifr_name);
    request.ifr_flags = IFF_UP;
    return ::ioctl(socket.number(), SIOCSIFFLAGS, &request) == 0;
}

}  // namespace

bool enter_fresh_network() {
    const bool entered =
        ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    return entered && bring_loopback_up();
}

}  // namespace berth::differential
