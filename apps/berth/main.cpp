// SPDX-License-Identifier: MIT
//
// berth: the program. Reads the command line and runs what it names.

#include "command_line.hpp"
#include "load.hpp"
#include "port.hpp"
#include "serve.hpp"
#include "timeline.hpp"

#include <variant>

namespace {

struct RunCommand {
    int operator()(const berth::app::NothingToDo& nothing) const { return nothing.exit_status; }
    int operator()(const berth::app::ServeSettings& settings) const {
        return berth::app::serve(settings);
    }
    int operator()(const berth::app::LoadSettings& settings) const {
        return berth::app::load(settings);
    }
    int operator()(const berth::app::PortSettings& settings) const {
        return berth::app::port(settings);
    }
    int operator()(const berth::app::TimelineSettings& settings) const {
        return berth::app::timeline(settings);
    }
};

}  // namespace

int main(int argc, char** argv) {
    return std::visit(RunCommand{}, berth::app::parse_command_line(argc, argv));
}
