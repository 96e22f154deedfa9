// SPDX-License-Identifier: MIT
//
// Command line: the commands, and the flags of those that have few.

#include "command_line.hpp"

#include "datagram_load.hpp"
#include "exit_status.hpp"
#include "flags.hpp"
#include "load.hpp"
#include "port.hpp"
#include "serve.hpp"
#include "serve_flags.hpp"
#include "timeline.hpp"
#include "units.hpp"

#include <berth/endpoint.hpp>
#include <berth/version.hpp>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>
#include <fmt/core.h>

#include <cstdint>
#include <expected>
#include <iostream>
#include <limits>
#include <string>

namespace berth::app {

namespace {

// ── berth load ───────────────────────────────────────────────────────────────────────────────

constexpr const char* kLoadExamples = R"(Examples:
  berth load :9000
  berth load tcp://127.0.0.1:9000 --connections 1000 --depth 16 --duration 30s
  berth load unix:///run/echo.sock --size 64KiB --json
  berth load unixpacket:@echo --depth 4
  berth load :9000 --rate 20000        # open loop: latency from when it was due

Exit status: 0 every byte verified and every connection ended well, 1 not so,
2 wrong usage.)";

void add_load(CLI::App& program, LoadSettings& settings) {
    constexpr Range kAny{0, std::numeric_limits<std::uint64_t>::max()};
    CLI::App& command = *program.add_subcommand("load", "A load that checks what it gets back");
    command.footer(kLoadExamples);
    add_value(command, {"ADDRESS", "of an echo server"}, settings.to, parse_target)
        ->required()
        ->type_name("");
    add_count(command, {"--connections", "at a time"}, settings.connections, {1, 1'000'000})
        ->default_str(std::to_string(settings.connections));
    add_size(command, {"--size", "of a request"}, settings.shape.size);
    add_count(command, {"--depth", "requests in flight per connection"}, settings.shape.depth,
              {1, 4'096})
        ->default_str(std::to_string(settings.shape.depth));
    add_duration(command, {"--duration", "how long to send"}, settings.duration);
    add_duration(command, {"--warm-up", "how long before that, not counted"}, settings.warm_up);
    add_count(command,
              {"--requests",
               "of each connection, which then says goodbye; --reconnect makes another at once"},
              settings.requests, {1, std::numeric_limits<std::uint64_t>::max()});
    add_count(command,
              {"--rate",
               "requests per second, all connections together; without it, as fast as answered"},
              settings.rate, {1, 1'000'000'000});
    command.add_flag("--reconnect", settings.reconnect, "replace a connection that was lost");
    command.add_flag("--allow-close", settings.allow_close,
                     "the server may close between two answers");
    add_count(command, {"--cpu-of", "the process whose CPU time per request is measured"},
              settings.cpu_of, {1, std::numeric_limits<int>::max()})
        ->type_name("PID");
    add_count(command, {"--loops", "event loops; 0: one per usable CPU"}, settings.loops, {0, 255})
        ->default_str("0");
    add_duration(command, {"--busy-poll", "look for answers so long before sleeping; 0: sleep"},
                 settings.busy_poll);
    add_count(command, {"--seed", "of the bytes that are sent"}, settings.seed, kAny)
        ->default_str(std::to_string(settings.seed));
    command.add_flag("--json", settings.json, "the result as one line of JSON");
}

// A request has a number in it, and a flow no schedule and no end of its own.
void check_datagram_load(const LoadSettings& settings) {
    const std::size_t size = settings.shape.size;
    if (size < DatagramLoad::kSizeMin || size > DatagramLoad::kSizeMax) {
        throw CLI::ValidationError(
            "--size", fmt::format("a request over udp has {} to {} bytes", DatagramLoad::kSizeMin,
                                  DatagramLoad::kSizeMax));
    }
    if (settings.rate || settings.reconnect || settings.allow_close) {
        throw CLI::ValidationError("--rate, --reconnect, --allow-close",
                                   "these do not exist for udp");
    }
}

// What no flag alone can know.
void check_load(const LoadSettings& settings) {
    const auto [size, depth] = settings.shape;
    if (size == 0) throw CLI::ValidationError("--size", "a request has at least one byte");
    if (settings.to.is_udp()) check_datagram_load(settings);
    if (settings.is_over_packets() && size > LoadSettings::kPacketMax) {
        throw CLI::ValidationError(
            "--size", fmt::format("a request over unixpacket: is one packet, of {} at most; lower "
                                  "it, or use unix:",
                                  size_text(LoadSettings::kPacketMax)));
    }
    if (size > LoadSettings::kInFlightMax / depth / settings.connections) {
        throw CLI::ValidationError(
            "--connections, --size, --depth",
            fmt::format("{} x {} x {} is more than {} in flight; lower one of them",
                        settings.connections, size_text(size), depth,
                        size_text(LoadSettings::kInFlightMax)));
    }
}

// ── berth port ───────────────────────────────────────────────────────────────────────────────

constexpr const char* kPortExamples = R"(Examples:
  berth port 9000
  berth port tcp://127.0.0.1:9000 --json
  berth port unix:///run/echo.sock
  berth port 9000 --wait 30s && berth serve echo --listen tcp://:9000

Exit status: 0 free, 1 busy, 2 wrong usage.)";

void add_port(CLI::App& program, PortSettings& settings) {
    CLI::App& command = *program.add_subcommand("port", "Who holds my port, and what to do");
    command.footer(kPortExamples);
    add_value(command, {"ADDRESS", "an address, or a port of tcp://"}, settings.endpoint,
              parse_port_address)
        ->required()
        ->type_name("");
    command.add_flag("--json", settings.json, "the answer as one line of JSON");
    add_duration(command, {"--wait", "until it is free, at most so long"}, settings.wait);
}

// ── berth timeline ───────────────────────────────────────────────────────────────────────────

constexpr const char* kTimelineExamples = R"(Examples:
  berth timeline stop.json > stop.svg
  berth timeline stop.json -o stop.svg

Exit status: 0 drawn, 1 the report cannot be read or the picture not written, 2 wrong
usage.)";

void add_timeline(CLI::App& program, TimelineSettings& settings) {
    CLI::App& command = *program.add_subcommand("timeline", "Draw a stop from its report");
    command.footer(kTimelineExamples);
    command.add_option("REPORT", settings.report, "what `berth serve --report` has written")
        ->required()
        ->type_name("");
    command.add_option("-o,--output", settings.output, "where; without it, standard output")
        ->type_name("FILE.svg");
}

// ── berth ────────────────────────────────────────────────────────────────────────────────────

constexpr const char* kExamples = R"(Examples:
  berth serve echo --listen tcp://:9000 --report stop.json
  berth load tcp://127.0.0.1:9000 --duration 5s
  berth port 9000
  berth timeline stop.json -o stop.svg
  berth serve --help)";

void add_missing_command(CLI::App& program, const std::string& name) {
    const auto refuse = [name] {
        throw CLI::ValidationError("berth " + name, "this command does not exist yet");
    };
    CLI::App& command = *program.add_subcommand(name);
    command.group("")->allow_extras()->parse_complete_callback(refuse);
}

// Help and version are answers and go to stdout; the rest is an explanation.
NothingToDo explain(const CLI::App& program, const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return {program.exit(error)};
    const auto commands = program.get_subcommands();
    const std::string name = commands.empty() ? "berth" : "berth " + commands[0]->get_name();
    std::cerr << name << ": " << error.what() << "\nTry '" << name << " --help'.\n";
    return {kWrongUsage};
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
    ServeSettings serve_settings;
    LoadSettings load_settings;
    PortSettings port_settings;
    TimelineSettings timeline_settings;
    CLI::App program{"berth: servers that give their port back", "berth"};
    program.set_version_flag("--version", fmt::format("berth {}", version()));
    program.require_subcommand(0, 1);  // that there is one, is better said below
    program.footer(kExamples);
    add_serve(program, serve_settings);
    add_load(program, load_settings);
    add_port(program, port_settings);
    add_timeline(program, timeline_settings);
    add_missing_command(program, "doctor");

    try {
        program.parse(argc, argv);
        if (program.got_subcommand("serve")) return serve_settings;
        if (program.got_subcommand("port")) return port_settings;
        if (program.got_subcommand("timeline")) return timeline_settings;
        if (!program.got_subcommand("load")) {
            throw CLI::RequiredError("A command, serve, load, port or timeline,");
        }
        check_load(load_settings);
        return load_settings;
    } catch (const CLI::ParseError& error) {
        return explain(program, error);
    }
}

}  // namespace berth::app
