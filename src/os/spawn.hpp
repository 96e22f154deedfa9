// SPDX-License-Identifier: MIT
//
// spawn: a program as a process that is nobody's child.
//
// The parent does not wait for it and gets no SIGCHLD of it: a process in between is its parent,
// and ends at once. Between fork and exec only raw calls are made, on memory that was prepared
// before.
//
// Threads:   any thread. Returns when the program runs, or could not be run.
// Errors:    an errno of fork(2), pipe(2) or execve(2): ENOENT where there is no such program.
// See:       fork(2), execve(2), environ(7).

#pragma once

#include "base/outcome.hpp"

#include <span>
#include <string>

namespace berth::os {

// command[0] is a path, or a name that is looked for in PATH. The program gets `variable`
// ("NAME=value") beside this process's environment, and of all descriptors that are
// close-on-exec `inherited` alone.
base::Outcome<void> spawn(std::span<const std::string> command, const std::string& variable,
                          int inherited);

// A variable's value, which is then removed from the environment; empty if it was not set. Before
// other threads read the environment.
std::string take_variable(const char* name);

}  // namespace berth::os
