// SPDX-License-Identifier: MIT
//
// Serve flags: in groups, as in include/berth/options.hpp.

#include "serve_flags.hpp"

#include "flags.hpp"
#include "report_file.hpp"
#include "serve.hpp"
#include "system.hpp"
#include "units.hpp"

#include <berth/clock.hpp>
#include <berth/datagram_options.hpp>
#include <berth/options.hpp>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>
#include <CLI/Option.hpp>
#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <system_error>

namespace berth::app {

namespace {

constexpr std::array kServices{
    Choice<Service>{"echo", Service::echo},
    Choice<Service>{"discard", Service::discard},
    Choice<Service>{"http", Service::http},
    Choice<Service>{"proxy", Service::proxy},
};
constexpr std::array kDrivers{
    Choice<DriverKind>{"auto", DriverKind::automatic},
    Choice<DriverKind>{"epoll", DriverKind::epoll},
    Choice<DriverKind>{"uring", DriverKind::uring},
};
constexpr std::array kBalances{
    Choice<Balance>{"sharded", Balance::sharded},
    Choice<Balance>{"round-robin", Balance::round_robin},
    Choice<Balance>{"least-connections", Balance::least_connections},
    Choice<Balance>{"source-hash", Balance::source_hash},
};
constexpr std::array kLateAccepts{
    Choice<LateAccept>{"serve", LateAccept::serve},
    Choice<LateAccept>{"refuse", LateAccept::refuse},
};

constexpr const char* kServeExamples = R"(Examples:
  berth serve echo
  berth serve echo --listen tcp://:7000 --listen unix:///run/echo.sock --loops 4
  berth serve http --listen tcp://:8080
  berth serve proxy --listen tcp://:8080 --to tcp://127.0.0.1:9000
  berth serve discard --listen tcp://127.0.0.1:0 --drain 5s --report stop.json
  berth serve echo --listen udp://:7000 --udp-sessions true
  berth serve echo --listen tcp://:7000 --admin tcp://127.0.0.1:7001 --lame-duck 5s
  berth serve echo --listen tcp://:7000 --handover /run/echo.handover   # twice: takes over

SIGTERM, SIGINT and SIGQUIT stop gracefully; one of them again leaves one second, a
third none; after SIGQUIT the report is explained. SIGUSR2 restarts hot with the same
command line, SIGHUP reloads (nothing, here).

Exit status: 0 clean stop or handed over, 1 could not start or failed, 2 wrong usage,
3 connections were forced or bytes lost, 4 a port or path is still held, 5 a handler
would not return.)";

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

// As chmod(1) has it, in octal digits.
Parsed<std::uint32_t> parse_mode(const std::string& text) {
    constexpr std::uint32_t kMax = 0777;
    constexpr int kOctal = 8;
    std::uint32_t mode = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, mode, kOctal);
    if (failure == std::errc{} && rest == end && mode <= kMax) return mode;
    return std::unexpected(fmt::format("'{}' is not a mode; 0660 is owner and group", text));
}

Parsed<std::string> parse_thread_name(const std::string& text) { return text; }

// GROUP, or GROUP%INTERFACE.
MulticastGroup group_of(const std::string& text) {
    const auto percent = text.find('%');
    if (percent == std::string::npos) return {.address = text};
    return {.address = text.substr(0, percent), .interface = text.substr(percent + 1)};
}

void add_loop_options(CLI::App& command, Options& options) {
    add_count(command, {"--loops", "event loops; 0: one per usable CPU"}, options.loops, {0, 255})
        ->default_str("0");
    add_choice(command, {"--driver", "how to wait: auto, epoll, uring"}, options.driver, kDrivers)
        ->default_str("auto");
    add_choice(command, {"--balance", "sharded, round-robin, least-connections or source-hash"},
               options.balance, kBalances)
        ->default_str("sharded");
    add_switch(command, {"--pin-loops", "each loop on a CPU of its own, of the affinity mask"},
               options.pin_loops);
    add_value(command, {"--thread-name", "loops are called NAME-0, NAME-1, …"}, options.thread_name,
              parse_thread_name)
        ->type_name("NAME")
        ->default_str(options.thread_name);
    add_duration(command, {"--busy-poll", "look for events so long before sleeping; 0: sleep"},
                 options.busy_poll);
}

// Who comes on top is sent away.
void add_limit_options(CLI::App& command, Options& options) {
    constexpr std::uint64_t kMany = 16'000'000;
    constexpr std::uint64_t kManyPerSecond = 1'000'000;
    add_count(command, {"--listener-connections-max", "open ones of one listener; 0: no bound"},
              options.listener_connections_max, {0, kMany})
        ->default_str("0");
    add_count(command,
              {"--address-connections-max", "open ones of one client address; 0: no bound"},
              options.address_connections_max, {0, kMany})
        ->default_str("0");
    add_count(command, {"--accept-rate-max", "new ones per second; 0: no bound"},
              options.accept_rate_max, {0, kManyPerSecond})
        ->default_str("0");
    add_count(command, {"--accept-burst-max", "new ones at once; 0: as many as in a second"},
              options.accept_burst_max, {0, kManyPerSecond})
        ->default_str("0");
}

void add_listen_options(CLI::App& command, Options& options) {
    constexpr std::uint64_t kManyConnections = 16'000'000;  // slots of a loop (ConnectionId)
    add_count(command, {"--backlog", "connections that may wait to be accepted"}, options.backlog,
              {1, 65'535})
        ->default_str(std::to_string(options.backlog));
    add_count(command,
              {"--max-connections", "open connections; 0: what the descriptor limit allows"},
              options.connections_max, {0, kManyConnections})
        ->default_str("0");
    add_limit_options(command, options);
    add_switch(
        command,
        {"--share-port", "listen beside others of this user that say so, too (SO_REUSEPORT)"},
        options.share_port);
    add_value(command, {"--unix-mode", "permissions of Unix paths"}, options.unix_mode, parse_mode)
        ->type_name("MODE")
        ->default_str("as the umask says");
    add_size(command, {"--memory-max", "output and input waiting, of all connections; 0: no bound"},
             options.memory_max);
    add_switch(command, {"--no-delay", "send small writes at once (TCP_NODELAY)"},
               options.no_delay);
    add_duration(command, {"--keepalive-idle", "probe a peer that is silent so long; 0: never"},
                 options.keepalive_idle);
    add_duration(command, {"--keepalive-interval", "between probes; 0: the kernel's"},
                 options.keepalive_interval);
    add_count(command, {"--keepalive-count", "unanswered probes; 0: the kernel's"},
              options.keepalive_count, {0, 127})
        ->default_str("0");
    add_duration(command, {"--user-timeout", "for an acknowledgement; 0: the kernel's"},
                 options.user_timeout);
    add_size(command, {"--receive-buffer", "of a connection in the kernel; 0: the kernel's"},
             options.receive_buffer);
    add_size(command, {"--send-buffer", "of a connection in the kernel; 0: the kernel's"},
             options.send_buffer);
    command
        .add_option("--device", options.device,
                    "listen by this network interface alone (SO_BINDTODEVICE)")
        ->type_name("INTERFACE");
}

void add_connection_options(CLI::App& command, Options& options) {
    add_duration(command,
                 {"--idle-timeout", "close a connection that was silent for so long; 0: never"},
                 options.idle_timeout);
    add_duration(command,
                 {"--read-timeout", "close one that has sent nothing for so long; 0: never"},
                 options.read_timeout);
    add_duration(command,
                 {"--write-stall-timeout", "reset one that takes no output for so long; 0: never"},
                 options.write_stall_timeout);
    add_duration(command, {"--lifetime-max", "close a connection that is so old; 0: never"},
                 options.lifetime_max);
    add_duration(command, {"--linger", "how long a closed connection waits for the peer's goodbye"},
                 options.linger);
    add_size(command, {"--output-high", "queued output at which a connection is not read any more"},
             options.output_high);
    add_size(command, {"--output-low", "queued output at which it is read again"},
             options.output_low);
    add_size(command, {"--output-max", "queued output that a connection never exceeds"},
             options.output_max);
    add_size(command, {"--not-sent-max", "of it in the kernel, not sent; 0: no bound"},
             options.not_sent_max);
    add_size(command, {"--input-max", "unread input that a connection never exceeds"},
             options.input_max);
    add_size(command, {"--read-budget", "input of one connection per turn"}, options.read_budget);
}

void add_group_options(CLI::App& command, DatagramOptions& options) {
    const auto add = [&options](const std::string& text) {
        options.groups.push_back(group_of(text));
    };
    command
        .add_option_function<std::string>("--multicast", add,
                                          "a group to hear; may be given several times")
        ->type_name("GROUP[%INTERFACE]")
        ->trigger_on_parse()
        ->allow_extra_args(false);
    command
        .add_option("--multicast-interface", options.multicast_interface,
                    "by which what is sent to groups leaves")
        ->type_name("INTERFACE");
    add_switch(command, {"--multicast-loop", "what is sent to groups is heard here, too"},
               options.multicast_loop);
    add_count(command, {"--multicast-hops", "routers that it may cross, and one"},
              options.multicast_hops, {0, 255})
        ->default_str(std::to_string(options.multicast_hops));
    add_switch(command, {"--broadcast", "may send to broadcast addresses"}, options.broadcast);
}

void add_datagram_options(CLI::App& command, Options& options) {
    constexpr std::uint64_t kManySessions = 16'000'000;
    DatagramOptions& datagrams = options.datagrams;
    add_size(command, {"--datagram-max", "of one datagram; a longer one is cut"},
             options.datagram_max);
    add_switch(command, {"--udp-sessions", "each peer of a udp listener is a connection"},
               datagrams.sessions);
    add_duration(command, {"--udp-session-idle", "end one that was silent for so long; 0: never"},
                 datagrams.session_idle);
    add_count(command, {"--udp-sessions-max", "of one listener; who comes on top is dropped"},
              datagrams.sessions_max, {1, kManySessions})
        ->default_str(std::to_string(datagrams.sessions_max));
    add_group_options(command, datagrams);
    add_switch(command, {"--gso", "equal datagrams to one peer leave as one (UDP_SEGMENT)"},
               datagrams.gso);
    add_switch(command, {"--gro", "those of one peer may come as one (UDP_GRO)"}, datagrams.gro);
}

void add_stop_options(CLI::App& command, Options& options) {
    add_duration(command, {"--drain", "deadline of a graceful stop"}, options.drain);
    add_value(command, {"--lame-duck", "accept on for so long, while already not ready"},
              options.lame_duck, parse_duration)
        ->type_name("D")
        ->default_str("0s; under Kubernetes 5s");
    add_duration(command, {"--quiesce-max", "to empty the listeners' queues"}, options.quiesce_max);
    add_duration(command, {"--spread", "tell connections of a stop over so long, not at once"},
                 options.spread);
    add_duration(command, {"--first-request-grace", "for the request of a client just accepted"},
                 options.first_request_grace);
    add_choice(command, {"--late-accept", "a client accepted during a stop: serve, refuse"},
               options.late_accept, kLateAccepts)
        ->default_str("serve");
    add_size(command, {"--send-rate-min", "per second while draining; slower is reset; 0: any"},
             options.send_rate_min);
    add_size(command, {"--linger-bytes-max", "read and dropped after our goodbye; then reset"},
             options.linger_bytes_max);
    add_switch(command, {"--verify", "try the addresses at the end of a stop"}, options.verify);
}

void add_handover_options(CLI::App& command, Options& options) {
    command
        .add_option("--handover", options.handover,
                    "a Unix path: who starts with it takes over from who runs")
        ->type_name("PATH");
    add_duration(command, {"--probation", "the old one can resume for so long"}, options.probation);
    add_duration(command, {"--handover-timeout", "of one step of a hand-over"},
                 options.handover_timeout);
}

void add_process_options(CLI::App& command, ServeSettings& settings) {
    command.add_option("--admin", settings.admin, "metrics, health and state over HTTP")
        ->type_name("ADDRESS")
        ->check(explain_stream_address);
    command.add_flag("--keep-listeners", settings.keep_listeners,
                     "systemd holds a copy of the listeners (FDSTORE)");
    command.add_option("--report", settings.report, "write the stop report there, as JSON")
        ->type_name("FILE")
        ->check(explain_report_place);
    add_value(command, {"--ready-fd", "write a newline to this descriptor when ready"},
              settings.ready_fd, parse_ready_fd)
        ->type_name("FD");
}

void add_proxy_options(CLI::App& command, ServeSettings& settings) {
    add_value(command, {"--to", "of proxy: the server behind it"}, settings.proxy.to,
              parse_stream_target)
        ->type_name("ADDRESS");
    add_duration(command, {"--dial-timeout", "of proxy: to reach that server"},
                 settings.proxy.dial_timeout);
}

void check_proxy(const ServeSettings& settings) {
    const bool is_proxy = settings.service == Service::proxy;
    if (is_proxy && !settings.proxy.to) throw CLI::RequiredError("--to ADDRESS");
    if (!is_proxy && settings.proxy.to) {
        throw CLI::ValidationError("--to", "is for `berth serve proxy`; leave it out");
    }
}

}  // namespace

void add_serve(CLI::App& program, ServeSettings& settings) {
    CLI::App& command = *program.add_subcommand("serve", "A real server in one line");
    command.footer(kServeExamples);
    add_choice(
        command,
        {"WHAT", "echo (answers what it was sent), discard (only reads), http (a page) or proxy"},
        settings.service, kServices)
        ->required()
        ->type_name("");
    command.add_option("--listen", settings.addresses, "where; may be given several times")
        ->type_name("ADDRESS")
        ->allow_extra_args(false)
        ->check(explain_address)
        ->default_str(ServeSettings::kDefaultAddress);
    add_loop_options(command, settings.options);
    add_listen_options(command, settings.options);
    add_connection_options(command, settings.options);
    add_datagram_options(command, settings.options);
    add_stop_options(command, settings.options);
    add_handover_options(command, settings.options);
    add_process_options(command, settings);
    add_proxy_options(command, settings);
    command.parse_complete_callback([&settings] { check_proxy(settings); });
}

}  // namespace berth::app
