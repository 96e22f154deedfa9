// SPDX-License-Identifier: MIT
//
// AdminAttendant: start, or try again.

#include "service/admin_attendant.hpp"

#include "engine/engine_core.hpp"

#include <berth/admin.hpp>
#include <berth/clock.hpp>
#include <berth/engine.hpp>
#include <berth/engine_state.hpp>
#include <berth/logger.hpp>
#include <berth/options.hpp>
#include <berth/result.hpp>

#include <string>
#include <utility>

namespace berth::service {

AdminAttendant::AdminAttendant(const Engine& watched, const Options& options, std::string address,
                               Announce announce)
    : server_(watched, options), address_(std::move(address)), announce_(std::move(announce)) {}

Result<void> AdminAttendant::start() {
    auto started = server_.start(address_);
    if (!started) return started;
    is_started_ = true;
    for (const Endpoint& endpoint : server_.endpoints()) {
        if (announce_) announce_(endpoint);
    }
    return {};
}

void AdminAttendant::begin(Engine&, os::Notifier&) {}
void AdminAttendant::changed(Engine&, EngineState, EngineState) {}
void AdminAttendant::end(Engine&) {}

Instant AdminAttendant::attend(Engine& engine) {
    if (is_started_) return Instant::never();
    if (!engine.is_ready()) return engine.now() + kRetryInterval;
    const auto started = start();
    if (started) return Instant::never();
    if (!is_reported_) {
        engine::EngineAccess::core(engine).log(
            LogLevel::warning, "admin server, tried again: " + started.error().to_string());
    }
    is_reported_ = true;
    return engine.now() + kRetryInterval;
}

}  // namespace berth::service
