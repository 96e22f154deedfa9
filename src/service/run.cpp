// SPDX-License-Identifier: MIT
//
// run(): an engine with its attendants.

#include <berth/run.hpp>

#include "driver/kernel_system.hpp"
#include "engine/attendant.hpp"
#include "engine/engine_core.hpp"
#include "engine/inherited_socket.hpp"
#include "os/calls.hpp"
#include "service/activation.hpp"
#include "service/admin_attendant.hpp"
#include "service/kubernetes.hpp"
#include "service/notify_socket.hpp"
#include "service/service_manager.hpp"
#include "service/signal_policy.hpp"
#include "service/variables.hpp"
#include "service/watchdog.hpp"

#include <berth/endpoint.hpp>
#include <berth/engine.hpp>
#include <berth/handler.hpp>
#include <berth/logger.hpp>
#include <berth/options.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <array>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

namespace {

using service::ServiceManager;
using service::SignalPolicy;
using service::Variables;

// A server as a process: who stands by, and what the environment brought along.
class Process {
public:
    Process(EventHandler& handler, Options options, RunPolicy policy)
        : handler_(handler),
          options_(std::move(options)),
          policy_(std::move(policy)),
          variables_(Variables::take(os::process_id())) {
        fit_to_kubernetes();
        if (policy_.systemd) find_manager();
        if (policy_.signals) {
            signals_.emplace(policy_.restart_command, manager_ ? &*manager_ : nullptr);
        }
    }

    Result<StopReport> run(std::span<const std::string> addresses) {
        auto ran = run_engine(addresses);
        if (ran) return ran;
        log(LogLevel::error, ran.error().to_string());
        if (manager_) manager_->start_failed(ran.error());
        return ran;
    }

private:
    void log(LogLevel level, std::string_view message) const {
        Logger& logger = options_.logger != nullptr ? *options_.logger : default_logger();
        logger.log(level, message);
    }

    void fit_to_kubernetes() {
        if (!variables_.is_kubernetes) return;
        if (!options_.lame_duck) options_.lame_duck = service::kLameDuckUnderKubernetes;
        log(LogLevel::info, "Kubernetes: this server needs terminationGracePeriodSeconds: " +
                                std::to_string(service::grace_period(options_).count()));
    }

    void find_manager() {
        if (variables_.notify_socket.empty()) return;
        const auto address = service::NotifySocket::parse(variables_.notify_socket);
        if (!address) {
            return log(LogLevel::warning, "NOTIFY_SOCKET is '" + variables_.notify_socket +
                                              "', neither a path nor @abstract: not notified");
        }
        manager_.emplace(driver::kernel_system(),
                         ServiceManager::Settings{.address = *address,
                                                  .watchdog = service::Watchdog::of(variables_),
                                                  .keeps_listeners = policy_.keep_listeners});
    }

    Result<std::vector<engine::InheritedSocket>> inherited_sockets() const {
        if (!policy_.systemd) return std::vector<engine::InheritedSocket>();
        return service::inherited_sockets(variables_);
    }

    Result<void> open_admin(service::AdminAttendant& admin) const {
        if (auto address = Endpoint::parse(policy_.admin); !address) {
            return fail(std::move(address.error()));
        }
        const bool may_be_successor = variables_.is_successor || !options_.handover.empty();
        return may_be_successor ? Result<void>() : admin.start();
    }

    Result<StopReport> run_engine(std::span<const std::string> addresses) {
        auto inherited = inherited_sockets();
        if (!inherited) return fail(std::move(inherited.error()));
        service::close_outdated(*inherited, addresses);
        std::vector<engine::Attendant*> attendants;
        // Signals first: on_boot may take its time.
        if (signals_) attendants.push_back(&*signals_);
        if (manager_) attendants.push_back(&*manager_);
        Engine engine(handler_, options_);
        std::optional<service::AdminAttendant> admin;
        if (!policy_.admin.empty()) {
            admin.emplace(engine, options_, policy_.admin, std::move(policy_.on_admin));
            if (auto opened = open_admin(*admin); !opened) return fail(std::move(opened.error()));
            attendants.push_back(&*admin);
        }
        return engine::EngineAccess::run(engine, addresses,
                                         {.attendants = attendants,
                                          .inherited = std::move(*inherited),
                                          .keeps_listeners = manager_ && policy_.keep_listeners});
    }

    EventHandler& handler_;
    Options options_;
    RunPolicy policy_;
    Variables variables_;
    std::optional<ServiceManager> manager_;
    std::optional<SignalPolicy> signals_;
};

}  // namespace

RunResult run(EventHandler& handler, std::span<const std::string> addresses, Options options,
              RunPolicy policy) {
    return RunResult(Process(handler, std::move(options), std::move(policy)).run(addresses));
}

RunResult run(EventHandler& handler, std::string_view address, Options options, RunPolicy policy) {
    const std::array one{std::string(address)};
    return run(handler, std::span<const std::string>(one), std::move(options), std::move(policy));
}

RunResult run(EventHandler& handler, std::initializer_list<std::string> addresses, Options options,
              RunPolicy policy) {
    const std::vector<std::string> list(addresses);
    return run(handler, std::span<const std::string>(list), std::move(options), std::move(policy));
}

}  // namespace berth
