// SPDX-License-Identifier: MIT
//
// System: what the program needs of the operating system and the public API does not give.
//
// A framework has no business with terminals or a program's own descriptors, so this one file of
// the program includes system headers. Nothing about connections is here.
//
// Threads:   any.
// See:       sd_listen_fds(3), isatty(3), getrlimit(2), clock_getcpuclockid(3).

#pragma once

#include <berth/clock.hpp>

#include <optional>

namespace berth::app {

// Did a service manager open sockets for this process? berth::run adopts them.
bool was_given_sockets();

bool is_open_descriptor(int descriptor);
void write_newline(int descriptor);

// A write to a pipe or socket that nobody reads is an error and not the end of the process.
void ignore_broken_pipes();
// From now on SIGTERM and SIGINT are only remembered, but while an engine watches them itself: one
// that comes before that still stops it, and one that comes after it does not cost the report.
void remember_stop_signals();
bool was_asked_to_stop();
// Lets this process open as many descriptors as it is allowed to ask for, up to a million.
void raise_descriptor_limit();

// The CPU time that all threads of a process have used so far; nothing if there is none.
std::optional<Duration> cpu_time_of(int process);

bool stdout_is_terminal();
bool stderr_is_terminal();

}  // namespace berth::app
