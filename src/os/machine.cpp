// SPDX-License-Identifier: MIT
//
// machine: text files, word by word.

#include "os/machine.hpp"

#include "base/outcome.hpp"
#include "os/calls.hpp"
#include "os/text.hpp"

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth::os {

base::Outcome<PortBounds> parse_port_bounds(std::string_view text) {
    const auto first = number_of<std::uint16_t>(take_word(text));
    const auto last = number_of<std::uint16_t>(take_word(text));
    if (!first || !last) return base::failed(EPROTO);
    return PortBounds{.first = *first, .last = *last};
}

base::Outcome<PortBounds> ephemeral_ports() {
    const auto text = read_file("/proc/sys/net/ipv4/ip_local_port_range");
    if (!text) return base::failed(text.errno_value());
    return parse_port_bounds(*text);
}

std::string find_user(std::string_view passwd, std::uint32_t uid) {
    while (!passwd.empty()) {
        std::string_view line = take_until(passwd, '\n');
        const std::string_view name = take_until(line, ':');
        take_until(line, ':');  // the password
        if (number_of<std::uint32_t>(take_until(line, ':')) == uid) return std::string{name};
    }
    return {};
}

std::string user_name(std::uint32_t uid) {
    return find_user(read_file("/etc/passwd").value_or(std::string{}), uid);
}

}  // namespace berth::os
