// SPDX-License-Identifier: MIT
//
// filter: the programs.

#include "os/filter.hpp"

#include "base/outcome.hpp"
#include "os/call_outcome.hpp"
#include "os/calls.hpp"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace berth::os {

namespace {

// What a program answers: how many bytes of the packet the socket gets.
constexpr std::uint32_t kNothing = 0;
constexpr std::uint32_t kEverything = std::numeric_limits<std::uint32_t>::max();

// To a program on a TCP socket, a packet begins with the TCP header: RFC 9293, section 3.1.
constexpr std::uint32_t kFlagsAt = 13;
constexpr std::uint32_t kSyn = 0x02;
constexpr std::uint32_t kAck = 0x10;

constexpr sock_filter answer(std::uint32_t value) {
    return {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = value};
}

base::Outcome<void> attach(int socket, std::span<sock_filter> program) {
    const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                            .filter = program.data()};
    return outcome<void>(
        raw_call(Call::set_option, socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter));
}

}  // namespace

base::Outcome<void> drop_handshakes(int socket) {
    std::array program{
        sock_filter{.code = BPF_LD | BPF_B | BPF_ABS, .jt = 0, .jf = 0, .k = kFlagsAt},
        sock_filter{.code = BPF_ALU | BPF_AND | BPF_K, .jt = 0, .jf = 0, .k = kSyn | kAck},
        sock_filter{.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = kSyn},
        answer(kNothing),
        answer(kEverything),
    };
    return attach(socket, program);
}

base::Outcome<void> drop_everything(int socket) {
    std::array program{answer(kNothing)};
    return attach(socket, program);
}

base::Outcome<void> remove_filter(int socket) {
    constexpr OptionName kDetachFilter{SOL_SOCKET, SO_DETACH_FILTER};
    return set_option(socket, kDetachFilter, 0);
}

// On an IPv6 socket both: it may be dual-stack. One that is not, has no use for the second.
base::Outcome<void> require_ttl(int socket, int least) {
    if (option(socket, kSocketFamily).value_or(AF_UNSPEC) != AF_INET6) {
        return set_option(socket, kMinTtl, least);
    }
    const auto set = set_option(socket, kMinHopCount, least);
    if (!set || option(socket, kV6Only).value_or(0) != 0) return set;
    return set_option(socket, kMinTtl, least);
}

}  // namespace berth::os
