// SPDX-License-Identifier: MIT
//
// Command line: what the user asked for, or the exit status when there is nothing left to do.
//
// A flag or command that is planned and that this version does not have is refused by name, never
// ignored.

#pragma once

#include "load.hpp"
#include "port.hpp"
#include "serve.hpp"
#include "timeline.hpp"

#include <variant>

namespace berth::app {

// Help was shown, or the usage was wrong and has been explained.
struct NothingToDo {
    int exit_status;
};

using Command =
    std::variant<NothingToDo, ServeSettings, LoadSettings, PortSettings, TimelineSettings>;

Command parse_command_line(int argc, const char* const* argv);

}  // namespace berth::app
