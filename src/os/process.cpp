// SPDX-License-Identifier: MIT
//
// process: a walk through /proc.

#include "os/process.hpp"

#include "os/calls.hpp"
#include "os/directory.hpp"
#include "os/text.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::os {

namespace {

using std::chrono::system_clock;

std::string proc_path(std::int64_t pid, std::string_view file) {
    return "/proc/" + std::to_string(pid) + '/' + std::string{file};
}

std::vector<std::int64_t> all_processes() {
    std::vector<std::int64_t> pids;
    auto directory = Directory::open("/proc");
    if (!directory) return pids;
    while (const auto name = directory->next()) {
        if (const auto pid = number_of<std::int64_t>(*name)) pids.push_back(*pid);
    }
    return pids;
}

// Only which descriptors: the process is described once the directory is closed.
std::vector<Holder> descriptors_of(std::int64_t pid, std::span<const std::uint64_t> inodes) {
    std::vector<Holder> found;
    auto directory = Directory::open(proc_path(pid, "fd"));
    if (!directory) return found;
    while (const auto name = directory->next()) {
        const auto target = read_link(directory->descriptor(), std::string{*name});
        const auto inode = target ? parse_socket_link(*target) : std::nullopt;
        if (!inode || std::ranges::find(inodes, *inode) == inodes.end()) continue;
        found.push_back({.pid = pid, .fd = number_of<int>(*name).value_or(-1), .inode = *inode});
    }
    return found;
}

std::optional<system_clock::time_point> boot_time() {
    return parse_boot_time(read_file("/proc/stat").value_or(std::string{}));
}

// The kernel counts a process' time in ticks, of which sysconf(3) knows how many make a second.
system_clock::duration time_of(std::uint64_t ticks) {
    const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    constexpr std::uint64_t kMilli = 1000;
    return std::chrono::milliseconds{ticks * kMilli / per_second};
}

// False: it has vanished.
bool describe(Holder& holder) {
    auto process = parse_stat(read_file(proc_path(holder.pid, "stat")).value_or(std::string{}));
    const auto uid = parse_uid(read_file(proc_path(holder.pid, "status")).value_or(std::string{}));
    if (!process || !uid) return false;
    holder.process = std::move(*process);
    holder.uid = *uid;
    holder.executable = read_link(proc_path(holder.pid, "exe")).value_or(std::string{});
    if (const auto boot = boot_time()) holder.since = *boot + time_of(holder.process.start_ticks);
    return true;
}

// The rest of the first line that begins with `name`.
std::optional<std::string_view> line_of(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const std::string_view line = take_until(text, '\n');
        if (line.starts_with(name)) return line.substr(name.size());
    }
    return std::nullopt;
}

}  // namespace

std::vector<Holder> holders_of(std::span<const std::uint64_t> inodes) {
    std::vector<Holder> holders;
    if (inodes.empty()) return holders;
    for (const std::int64_t pid : all_processes()) {
        for (Holder& holder : descriptors_of(pid, inodes)) {
            if (holders.size() == kHoldersMax) return holders;
            if (describe(holder)) holders.push_back(std::move(holder));
        }
    }
    return holders;
}

std::optional<ProcessFacts> parse_stat(std::string_view text) {
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return std::nullopt;
    }
    ProcessFacts facts{.command = std::string{text.substr(open + 1, close - open - 1)}};
    text.remove_prefix(close + 1);
    take_word(text);  // the state
    const auto parent = number_of<std::int64_t>(take_word(text));
    constexpr int kBetween = 17;  // the parent is field 4, the start field 22
    for (int field = 0; field < kBetween; ++field) take_word(text);
    const auto start = number_of<std::uint64_t>(take_word(text));
    if (!parent || !start) return std::nullopt;
    facts.parent = *parent;
    facts.start_ticks = *start;
    return facts;
}

std::optional<std::uint32_t> parse_uid(std::string_view status) {
    auto uids = line_of(status, "Uid:");
    if (!uids) return std::nullopt;
    take_word(*uids);  // the real one
    return number_of<std::uint32_t>(take_word(*uids));
}

std::optional<system_clock::time_point> parse_boot_time(std::string_view stat) {
    auto line = line_of(stat, "btime ");
    const auto seconds = line ? number_of<std::int64_t>(take_word(*line)) : std::nullopt;
    // What the clock cannot count (it ends in 2262) is not a time that a machine was started at.
    constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(system_clock::duration::max());
    if (!seconds || *seconds < 0 || *seconds > kLast.count()) return std::nullopt;
    return system_clock::time_point{std::chrono::seconds{*seconds}};
}

std::optional<std::uint64_t> parse_socket_link(std::string_view target) {
    constexpr std::string_view kBefore = "socket:[";
    if (!target.starts_with(kBefore) || !target.ends_with(']')) return std::nullopt;
    return number_of<std::uint64_t>(
        target.substr(kBefore.size(), target.size() - kBefore.size() - 1));
}

}  // namespace berth::os
