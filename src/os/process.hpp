// SPDX-License-Identifier: MIT
//
// process: which processes have a socket open, as far as this user may see.
//
// Processes come and go while they are looked at: those that vanish are left out. No more than
// one descriptor is open at a time, so that it works where descriptors are short.
//
// Lifetime:  values, true when they were taken.
// Threads:   any thread.
// See:       proc(5): /proc/PID/fd, stat, status.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::os {

// A list of more ends there.
inline constexpr std::size_t kHoldersMax = 1024;

// What /proc/PID/stat tells.
struct ProcessFacts {
    std::string command;
    std::int64_t parent = 0;
    std::uint64_t start_ticks = 0;  // since boot
};

struct Holder {
    std::int64_t pid = 0;
    int fd = -1;
    std::uint64_t inode = 0;
    std::uint32_t uid = 0;  // effective
    ProcessFacts process{};
    std::string executable{};  // empty: not ours to read
    std::optional<std::chrono::system_clock::time_point> since{};
};

// Who has a socket with one of these inodes open.
std::vector<Holder> holders_of(std::span<const std::uint64_t> inodes);

// ── Texts of /proc ───────────────────────────────────────────────────────────────────────────

// A command may contain spaces and parentheses.
std::optional<ProcessFacts> parse_stat(std::string_view text);
// The effective one in the "Uid:" line of /proc/PID/status.
std::optional<std::uint32_t> parse_uid(std::string_view status);
// When the machine was started: the "btime" line of /proc/stat.
std::optional<std::chrono::system_clock::time_point> parse_boot_time(std::string_view stat);
// Of what a link in /proc/PID/fd points to; nothing where that is no socket.
std::optional<std::uint64_t> parse_socket_link(std::string_view target);

}  // namespace berth::os
