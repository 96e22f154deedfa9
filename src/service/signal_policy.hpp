// SPDX-License-Identifier: MIT
//
// SignalPolicy: what signals mean to a server.
//
//     SIGTERM, SIGINT   stop gracefully; a second one leaves one second, a third nothing
//     SIGQUIT           the same, and the report is explained in the log
//     SIGUSR2           hot restart
//     SIGHUP            EventHandler::on_reload
//
// SIGPIPE and SIGCHLD are not touched. What the signals did before comes back with end(). As PID 1
// it works the same: the kernel spares that process only signals that it has no handler for.
//
// Lifetime:  outlives the run.
// Threads:   the coordinator's.
// See:       signal(7), pid_namespaces(7).

#pragma once

#include "engine/attendant.hpp"
#include "os/signals.hpp"

#include <berth/clock.hpp>
#include <berth/engine.hpp>
#include <berth/engine_state.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace berth::service {

class ServiceManager;

class SignalPolicy final : public engine::Attendant {
public:
    // `manager`, if there is one, is told of reloads and restarts. `restart_command` empty: the
    // command line of this process.
    SignalPolicy(std::vector<std::string> restart_command, ServiceManager* manager)
        : restart_command_(std::move(restart_command)), manager_(manager) {}

    void begin(Engine& engine, os::Notifier& notifier) override;
    Instant attend(Engine& engine) override;
    void changed(Engine& engine, EngineState from, EngineState to) override;
    void end(Engine& engine) override;

private:
    void obey_stops(Engine& engine);
    void reload(Engine& engine);
    void restart(Engine& engine);
    void explain(Engine& engine) const;
    // Has it come since it was last asked for?
    bool has_come(int signal, unsigned& seen) const;

    std::vector<std::string> restart_command_;
    ServiceManager* manager_;
    std::unique_ptr<os::SignalWatch> watch_;
    unsigned stops_seen_ = 0;
    unsigned reloads_seen_ = 0;
    unsigned restarts_seen_ = 0;
    bool explains_ = false;
};

}  // namespace berth::service
