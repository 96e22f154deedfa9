// SPDX-License-Identifier: MIT
//
// machine: what files of the system say about users and ports.
//
// Threads:   any thread.
// See:       passwd(5), ip(7).

#pragma once

#include "base/outcome.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::os {

struct PortBounds {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

// Where outgoing connections get their source port: net.ipv4.ip_local_port_range, both families.
base::Outcome<PortBounds> ephemeral_ports();
// Its text. EPROTO: it is something else.
base::Outcome<PortBounds> parse_port_bounds(std::string_view text);

// Of /etc/passwd alone: other directories of users would be asked through libc, which makes calls
// of its own. Empty: it has none.
std::string user_name(std::uint32_t uid);
// Its line in such a file.
std::string find_user(std::string_view passwd, std::uint32_t uid);

}  // namespace berth::os
