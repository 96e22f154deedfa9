// SPDX-License-Identifier: MIT
//
// run(): a server as a process: one engine, the signals, the service manager.
//
//     Echo echo;
//     return berth::run(echo, "tcp://:9000").exit_code();   // until SIGTERM
//
// Signals (where RunPolicy::signals): SIGTERM and SIGINT stop gracefully; a second one leaves one
// second, a third nothing. SIGUSR2 restarts hot, SIGHUP calls EventHandler::on_reload. What the
// signals did before comes back at the end, before run() returns. SIGQUIT stops like SIGTERM, and
// the report is explained in the log. Works as PID 1.
//
// systemd (where RunPolicy::systemd): listeners of a socket unit are adopted (LISTEN_FDS), and
// NOTIFY_SOCKET is told READY, RELOADING, STOPPING, STATUS, EXTEND_TIMEOUT_USEC and WATCHDOG.
//
// Threads:   one run that watches signals per process at a time.
// See:       signal(7), sd_notify(3), sd_listen_fds(3); docs/guides/stopping.md.

#pragma once

#include <berth/endpoint.hpp>
#include <berth/engine.hpp>  // IWYU pragma: export (what every handler of a run is given)
#include <berth/export.hpp>
#include <berth/function.hpp>
#include <berth/handler.hpp>
#include <berth/options.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

struct RunPolicy {
    bool signals = true;
    bool systemd = true;
    // What SIGUSR2 starts; empty: the same command line as this process.
    std::vector<std::string> restart_command = {};
    // systemd holds a copy of every listener (FDSTORE): who connects while the service restarts,
    // or after it died, waits in the queue. A stop then leaves the addresses listening.
    bool keep_listeners = false;
    // An AdminServer (admin.hpp) beside the engine; empty: none. It answers from before the start
    // to after the stop, and `on_admin` is told its real address.
    std::string admin = {};
    UniqueFunction<void(const Endpoint&)> on_admin = {};
};

// What run() returns: a report, or the reason why there was nothing to stop.
class BERTH_EXPORT RunResult {
public:
    explicit RunResult(Result<StopReport> result) : result_(std::move(result)) {}
    bool started() const { return result_.has_value(); }
    const StopReport& report() const { return *result_; }   // only if started()
    const Error& error() const { return result_.error(); }  // only if not
    int exit_code() const { return started() ? report().exit_code() : 1; }

private:
    Result<StopReport> result_;
};

// Starts, serves until a signal or a request_stop, and reports. The last line it writes to the
// logger is the report or the error.
BERTH_EXPORT RunResult run(EventHandler& handler, std::string_view address, Options options = {},
                           RunPolicy policy = {});
BERTH_EXPORT RunResult run(EventHandler& handler, std::span<const std::string> addresses,
                           Options options = {}, RunPolicy policy = {});
BERTH_EXPORT RunResult run(EventHandler& handler, std::initializer_list<std::string> addresses,
                           Options options = {}, RunPolicy policy = {});

}  // namespace berth
