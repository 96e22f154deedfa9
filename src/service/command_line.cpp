// SPDX-License-Identifier: MIT
//
// command_line: two files of /proc.

#include "service/command_line.hpp"

#include "os/calls.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::service {

std::vector<std::string> command_words(std::string_view cmdline) {
    std::vector<std::string> words;
    while (!cmdline.empty()) {
        const std::size_t end = cmdline.find('\0');
        words.emplace_back(cmdline.substr(0, end));
        cmdline.remove_prefix(end == std::string_view::npos ? cmdline.size() : end + 1);
    }
    return words;
}

std::string program_file(std::string_view exe) {
    constexpr std::string_view kReplaced = " (deleted)";
    if (exe.ends_with(kReplaced)) exe.remove_suffix(kReplaced.size());
    return std::string(exe);
}

std::vector<std::string> own_command_line() {
    const auto cmdline = os::read_file("/proc/self/cmdline");
    const auto exe = os::read_link("/proc/self/exe");
    if (!cmdline || !exe) return {};
    auto words = command_words(*cmdline);
    if (words.empty()) return {};
    words.front() = program_file(*exe);
    return words;
}

}  // namespace berth::service
