// SPDX-License-Identifier: MIT
//
// Privileges of this thread, and of those that it starts, for tests.
//
// See:       capabilities(7).

#pragma once

#include <cstdint>

namespace berth::test {

// May this thread attach a filter to a TCP socket? Newer kernels want CAP_NET_ADMIN.
bool may_filter_tcp();

// While it lives, this thread lacks CAP_NET_ADMIN, whoever runs the tests.
class NoNetworkAdministrator {
public:
    NoNetworkAdministrator();
    ~NoNetworkAdministrator();
    NoNetworkAdministrator(const NoNetworkAdministrator&) = delete;
    NoNetworkAdministrator& operator=(const NoNetworkAdministrator&) = delete;

private:
    std::uint32_t before_;  // effective
};

}  // namespace berth::test
