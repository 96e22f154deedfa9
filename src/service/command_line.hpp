// SPDX-License-Identifier: MIT
//
// command_line: how this process was started, to start its like.
//
// See:       /proc/pid/cmdline and /proc/pid/exe in proc(5).

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::service {

// The words of /proc/self/cmdline. The first is the program's file, whatever it was called by, so
// that neither the working directory nor PATH matters: and the file that is there now, when it has
// been replaced by a newer one. Empty where there is no /proc.
std::vector<std::string> own_command_line();

// The two halves of it. "a\0b\0" is two words; the kernel says " (deleted)" behind a file's name
// when another has taken its place.
std::vector<std::string> command_words(std::string_view cmdline);
std::string program_file(std::string_view exe);

}  // namespace berth::service
