// SPDX-License-Identifier: MIT
//
// Command line: every flag of every command, in one place.
//
// The texts of defaults come from the settings themselves, so that help cannot be wrong about
// them. Of CLI11 only this file knows.

#include "command_line.hpp"

#include "exit_status.hpp"
#include "load.hpp"
#include "report_file.hpp"
#include "serve.hpp"
#include "system.hpp"
#include "units.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/options.hpp>
#include <berth/version.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>  // IWYU pragma: keep (App.hpp declares only what is defined there)
#include <CLI/Error.hpp>
#include <CLI/Formatter.hpp>  // IWYU pragma: keep (likewise)
#include <CLI/Option.hpp>
#include <fmt/core.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iostream>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace berth::app {

namespace {

// ── Flags of each kind ───────────────────────────────────────────────────────────────────────

struct Flag {
    std::string name;
    std::string meaning;
};

// A flag whose value `parse` understands, or explains.
template <class T, class Parse>
CLI::Option* add_value(CLI::App& command, const Flag& flag, T& into, Parse parse) {
    const auto store = [name = flag.name, &into, parse](const std::string& text) {
        const auto value = parse(text);
        if (!value) throw CLI::ValidationError(name, value.error());
        into = static_cast<T>(*value);
    };
    return command.add_option_function<std::string>(flag.name, store, flag.meaning);
}

void add_duration(CLI::App& command, const Flag& flag, Duration& into) {
    add_value(command, flag, into, parse_duration)
        ->type_name("D")
        ->default_str(duration_text(into));
}

void add_size(CLI::App& command, const Flag& flag, std::size_t& into) {
    add_value(command, flag, into, parse_size)->type_name("BYTES")->default_str(size_text(into));
}

template <class T>
CLI::Option* add_count(CLI::App& command, const Flag& flag, T& into, Range range) {
    const auto parse = [range](const std::string& text) { return parse_count(text, range); };
    return add_value(command, flag, into, parse)->type_name("N");
}

template <class T>
struct Choice {
    std::string_view name;
    std::optional<T> value;  // none: named by the contract, not there yet
};

template <class T>
Parsed<T> choose(std::string_view text, std::span<const Choice<T>> choices) {
    std::string known;
    bool is_coming = false;
    for (const auto& [name, value] : choices) {
        if (name == text && value) return *value;
        if (name == text) is_coming = true;
        if (value) known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
    }
    const std::string_view problem = is_coming ? "does not exist yet" : "is not known";
    return std::unexpected(fmt::format("'{}' {}; choose one of: {}", text, problem, known));
}

template <class T, std::size_t N>
CLI::Option* add_choice(CLI::App& command, const Flag& flag, T& into,
                        const std::array<Choice<T>, N>& choices) {
    const auto parse = [&choices](const std::string& text) {
        return choose(text, std::span<const Choice<T>>(choices));
    };
    return add_value(command, flag, into, parse);
}

// A flag of the contract that this version does not have yet.
void add_missing(CLI::App& command, const std::string& name) {
    const auto refuse = [name](const std::string&) {
        throw CLI::ValidationError(name, "this flag does not exist yet; leave it out");
    };
    command.add_option_function<std::string>(name, refuse)->expected(0, 1)->group("");
}

Parsed<Endpoint> parse_stream_address(const std::string& text) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) return std::unexpected(endpoint.error().to_string());
    if (!endpoint->is_stream()) {
        return std::unexpected(
            fmt::format("'{}': datagrams and packets do not exist yet; use tcp:// or unix:", text));
    }
    return *endpoint;
}

// ── berth serve ──────────────────────────────────────────────────────────────────────────────

constexpr std::array kServices{
    Choice<Service>{"echo", Service::echo},
    Choice<Service>{"discard", Service::discard},
    Choice<Service>{"http", std::nullopt},
    Choice<Service>{"proxy", std::nullopt},
};
constexpr std::array kDrivers{
    Choice<DriverKind>{"auto", DriverKind::automatic},
    Choice<DriverKind>{"epoll", DriverKind::epoll},
    Choice<DriverKind>{"uring", std::nullopt},
};
constexpr std::array kBalances{
    Choice<Balance>{"sharded", Balance::sharded},
    Choice<Balance>{"round-robin", Balance::round_robin},
    Choice<Balance>{"least-connections", std::nullopt},
    Choice<Balance>{"source-hash", std::nullopt},
};

constexpr const char* kServeExamples = R"(Examples:
  berth serve echo
  berth serve echo --listen tcp://:7000 --listen unix:///run/echo.sock --loops 4
  berth serve discard --listen tcp://127.0.0.1:0 --drain 5s --report stop.json

SIGTERM and SIGINT stop gracefully; the same signal again leaves one second, a third
time none. Exit status: 0 clean stop, 1 could not start or failed, 2 wrong usage,
3 connections were forced or bytes lost, 4 a port or path is still held, 5 a handler
would not return.)";

std::string explain_address(const std::string& text) {
    const auto endpoint = parse_stream_address(text);
    return endpoint ? "" : endpoint.error();
}

std::string explain_report_place(const std::string& file) {
    const auto place = check_report_place(file);
    return place ? "" : place.error();
}

Parsed<int> parse_ready_fd(const std::string& text) {
    const auto number = parse_count(text, {0, std::numeric_limits<int>::max()});
    if (!number) return std::unexpected(number.error());
    const auto descriptor = static_cast<int>(*number);
    if (is_open_descriptor(descriptor)) return descriptor;
    return std::unexpected(fmt::format(
        "descriptor {} is not open; give a number that the parent process passes on", text));
}

void add_engine_options(CLI::App& command, Options& options) {
    constexpr std::uint64_t kManyConnections = 16'000'000;  // slots of a loop (ConnectionId)
    add_count(command, {"--loops", "event loops; 0: one per usable CPU"}, options.loops, {0, 255})
        ->default_str("0");
    add_choice(command, {"--driver", "how to wait: auto, epoll"}, options.driver, kDrivers)
        ->type_name("NAME")
        ->default_str("auto");
    add_choice(command, {"--balance", "how connections are spread: sharded, round-robin"},
               options.balance, kBalances)
        ->type_name("NAME")
        ->default_str("sharded");
    add_count(command, {"--backlog", "connections that may wait to be accepted"}, options.backlog,
              {1, 65'535})
        ->default_str(std::to_string(options.backlog));
    add_count(command,
              {"--max-connections", "open connections; 0: what the descriptor limit allows"},
              options.connections_max, {0, kManyConnections})
        ->default_str("0");
    command.add_option("--no-delay", options.no_delay, "send small writes at once (TCP_NODELAY)")
        ->type_name("BOOL")
        ->default_str("true");
    add_duration(command,
                 {"--idle-timeout", "close a connection that was silent for so long; 0: never"},
                 options.idle_timeout);
    add_duration(command, {"--linger", "how long a closed connection waits for the peer's goodbye"},
                 options.linger);
    add_size(command, {"--output-high", "queued output at which a connection is not read any more"},
             options.output_high);
    add_size(command, {"--output-low", "queued output at which it is read again"},
             options.output_low);
    add_size(command, {"--output-max", "queued output that a connection never exceeds"},
             options.output_max);
    add_size(command, {"--input-max", "unread input that a connection never exceeds"},
             options.input_max);
    add_size(command, {"--read-budget", "input of one connection per turn"}, options.read_budget);
    add_duration(command, {"--drain", "deadline of a graceful stop"}, options.drain);
}

void add_serve(CLI::App& program, ServeSettings& settings) {
    CLI::App& command = *program.add_subcommand("serve", "A real server in one line");
    command.footer(kServeExamples);
    add_choice(command, {"WHAT", "echo (answers with what it was sent) or discard (only reads)"},
               settings.service, kServices)
        ->required()
        ->type_name("");
    command.add_option("--listen", settings.addresses, "where; may be given several times")
        ->type_name("ADDRESS")
        ->allow_extra_args(false)
        ->check(explain_address)
        ->default_str(settings.addresses.front());
    add_engine_options(command, settings.options);
    command.add_option("--report", settings.report, "write the stop report there, as JSON")
        ->type_name("FILE")
        ->check(explain_report_place);
    add_value(command, {"--ready-fd", "write a newline to this descriptor when ready"},
              settings.ready_fd, parse_ready_fd)
        ->type_name("FD");
    for (const char* name : {"--admin", "--handover", "--probation", "--lame-duck", "--to"}) {
        add_missing(command, name);
    }
}

// ── berth load ───────────────────────────────────────────────────────────────────────────────

constexpr const char* kLoadExamples = R"(Examples:
  berth load :9000
  berth load tcp://127.0.0.1:9000 --connections 1000 --depth 16 --duration 30s
  berth load unix:///run/echo.sock --size 64KiB --json
  berth load :9000 --rate 20000        # open loop: latency from when it was due

Exit status: 0 every byte verified and every connection ended well, 1 not so,
2 wrong usage.)";

// A server's address: one that a client can connect to.
Parsed<Endpoint> parse_target(const std::string& text) {
    auto endpoint = parse_stream_address(text);
    if (endpoint && !endpoint->is_unix() && endpoint->port() == 0) {
        return std::unexpected(fmt::format(
            "'{}': nobody listens on port 0; give the port that the server reported", text));
    }
    return endpoint;
}

void add_load(CLI::App& program, LoadSettings& settings) {
    constexpr Range kAny{0, std::numeric_limits<std::uint64_t>::max()};
    CLI::App& command = *program.add_subcommand("load", "A load that checks what it gets back");
    command.footer(kLoadExamples);
    add_value(command, {"ADDRESS", "of an echo server"}, settings.endpoint, parse_target)
        ->required()
        ->type_name("");
    add_count(command, {"--connections", "at a time"}, settings.connections, {1, 1'000'000})
        ->default_str(std::to_string(settings.connections));
    add_size(command, {"--size", "of a request"}, settings.shape.size);
    add_count(command, {"--depth", "requests in flight per connection"}, settings.shape.depth,
              {1, 4'096})
        ->default_str(std::to_string(settings.shape.depth));
    add_duration(command, {"--duration", "how long to send"}, settings.duration);
    add_count(command,
              {"--rate",
               "requests per second, all connections together; without it, as fast as answered"},
              settings.rate, {1, 1'000'000'000});
    command.add_flag("--reconnect", settings.reconnect, "replace a connection that was lost");
    command.add_flag("--allow-close", settings.allow_close,
                     "the server may close between two answers");
    add_count(command, {"--loops", "event loops; 0: one per usable CPU"}, settings.loops, {0, 255})
        ->default_str("0");
    add_count(command, {"--seed", "of the bytes that are sent"}, settings.seed, kAny)
        ->default_str(std::to_string(settings.seed));
    command.add_flag("--json", settings.json, "the result as one line of JSON");
}

// What no flag alone can know.
void check_load(const LoadSettings& settings) {
    const auto [size, depth] = settings.shape;
    if (size == 0) throw CLI::ValidationError("--size", "a request has at least one byte");
    if (size > LoadSettings::kInFlightMax / depth / settings.connections) {
        throw CLI::ValidationError(
            "--connections, --size, --depth",
            fmt::format("{} x {} x {} is more than {} in flight; lower one of them",
                        settings.connections, size_text(size), depth,
                        size_text(LoadSettings::kInFlightMax)));
    }
}

// ── berth ────────────────────────────────────────────────────────────────────────────────────

constexpr const char* kExamples = R"(Examples:
  berth serve echo --listen tcp://:9000
  berth load tcp://127.0.0.1:9000 --duration 5s
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
    CLI::App program{"berth: servers that give their port back", "berth"};
    program.set_version_flag("--version", fmt::format("berth {}", version()));
    program.require_subcommand(0, 1);  // that there is one, is better said below
    program.footer(kExamples);
    add_serve(program, serve_settings);
    add_load(program, load_settings);
    for (const char* name : {"port", "timeline", "doctor"}) add_missing_command(program, name);

    try {
        program.parse(argc, argv);
        if (program.got_subcommand("serve")) return serve_settings;
        if (!program.got_subcommand("load")) throw CLI::RequiredError("A command, serve or load,");
        check_load(load_settings);
        return load_settings;
    } catch (const CLI::ParseError& error) {
        return explain(program, error);
    }
}

}  // namespace berth::app
