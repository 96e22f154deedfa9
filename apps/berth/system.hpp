// SPDX-License-Identifier: MIT
//
// System: what the program needs of the operating system and the public API does not give.
//
// A framework has no business with NOTIFY_SOCKET, terminals or a program's own descriptors, so
// this one file of the program includes system headers. Nothing about connections is here.
//
// Threads:   any.
// See:       sd_notify(3), isatty(3), getrlimit(2).

#pragma once

#include <string_view>

namespace berth::app {

// Tells the service manager, as sd_notify(3) does; nothing happens without NOTIFY_SOCKET.
void notify_service_manager(std::string_view state);

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

bool stdout_is_terminal();
bool stderr_is_terminal();

}  // namespace berth::app
