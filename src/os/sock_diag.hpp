// SPDX-License-Identifier: MIT
//
// sock_diag: the sockets of this network namespace, of all users, as the kernel lists them.
//
// Lifetime:  values.
// Threads:   any thread.
// Errors:    those of netlink.hpp; ENOENT: the kernel has no such list; EPERM, EAFNOSUPPORT and
//            the like where a sandbox forbids to ask.
// See:       sock_diag(7), and ss(8), which asks the same.

#pragma once

#include "base/outcome.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::os {

// Past so many rows a list ends. Listeners come first.
inline constexpr std::size_t kSocketRowsMax = 1U << 16U;

// ── TCP and UDP ──────────────────────────────────────────────────────────────────────────────

struct InetRow {
    std::uint8_t state = 0;  // TCP_ESTABLISHED …; what is bound only shows as TCP_CLOSE
    IpEndpoint local;        // zone: the interface it is bound to
    IpEndpoint peer;         // family 0: none
    bool is_v6_only = false;
    std::uint32_t uid = 0;
    std::uint32_t inode = 0;
    std::uint32_t receive_queue = 0;
    std::uint32_t send_queue = 0;
    Duration timer{};
};

// `states`: a bit for each, 1 << TCP_LISTEN and so on.
struct InetQuestion {
    Scheme scheme = Scheme::tcp;  // TCP or UDP
    std::uint16_t port = 0;       // local
    std::uint32_t states = 0;
};
base::Outcome<std::vector<InetRow>> inet_sockets(const InetQuestion& question);

// One message of the answer; nothing where it is not one.
std::optional<InetRow> parse_inet_row(Bytes message);

// ── Unix ─────────────────────────────────────────────────────────────────────────────────────

struct UnixSocketRow {
    std::string name;  // path, or "@…"
    bool is_listening = false;
    std::uint16_t type = 0;
    std::uint32_t inode = 0;
    std::uint32_t uid = 0;
    std::uint64_t file_device = 0;  // as stat(2) counts it
    std::uint64_t file_inode = 0;   // its lower 32 bits
};

// Those with this name. Where the kernel does not let itself be asked, what /proc/net/unix says:
// without uid and file.
base::Outcome<std::vector<UnixSocketRow>> unix_sockets(const std::string& name);

std::optional<UnixSocketRow> parse_unix_row(Bytes message);
// A line of /proc/net/unix; nothing for a socket without a name, and for the headline.
std::optional<UnixSocketRow> parse_unix_line(std::string_view line);

}  // namespace berth::os
