// SPDX-License-Identifier: MIT
//
// SignalPolicy: counts become requests.

#include "service/signal_policy.hpp"

#include "engine/engine_core.hpp"
#include "engine/lifecycle.hpp"
#include "engine/stop_request.hpp"
#include "os/notifier.hpp"
#include "os/signals.hpp"
#include "service/command_line.hpp"
#include "service/service_manager.hpp"

#include <berth/clock.hpp>
#include <berth/engine.hpp>
#include <berth/engine_state.hpp>
#include <berth/logger.hpp>
#include <berth/report.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

namespace berth::service {

using engine::EngineAccess;
using engine::StopSource;

namespace {

constexpr std::array kStops{SIGTERM, SIGINT, SIGQUIT};
constexpr std::array kWatched{SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2};

// What a second signal leaves of the deadline.
constexpr Duration kHurriedDeadline = std::chrono::seconds{1};

}  // namespace

void SignalPolicy::begin(Engine& engine, os::Notifier& notifier) {
    auto watch = os::SignalWatch::start(kWatched, notifier);
    if (watch) {
        watch_ = std::move(*watch);
        return;
    }
    EngineAccess::core(engine).log(
        LogLevel::warning, "signals are not watched: another engine of this process does that");
}

void SignalPolicy::changed(Engine&, EngineState, EngineState) {}

Instant SignalPolicy::attend(Engine& engine) {
    if (watch_ == nullptr) return Instant::never();
    obey_stops(engine);
    if (has_come(SIGHUP, reloads_seen_)) reload(engine);
    if (has_come(SIGUSR2, restarts_seen_)) restart(engine);
    return Instant::never();
}

bool SignalPolicy::has_come(int signal, unsigned& seen) const {
    const unsigned before = std::exchange(seen, watch_->count(signal));
    return seen != before;
}

// The first signal stops, the second leaves a second, the third nothing.
void SignalPolicy::obey_stops(Engine& engine) {
    unsigned seen = 0;
    int latest = 0;
    for (const int signal : kStops) {
        const unsigned count = watch_->count(signal);
        seen += count;
        if (count > 0) latest = signal;
    }
    if (seen == stops_seen_) return;
    stops_seen_ = seen;
    explains_ = watch_->count(SIGQUIT) > 0;
    engine::Core& core = EngineAccess::core(engine);
    const StopSource source(StopSource::Kind::signal, latest);
    if (seen == 1) return core.request_stop(source);
    const Instant now = engine.now();
    core.request_stop(source, seen == 2 ? now + kHurriedDeadline : now);
}

void SignalPolicy::reload(Engine& engine) {
    if (engine::is_stopping(engine.state())) return;
    if (manager_ != nullptr) manager_->reload_begins(engine);
    EngineAccess::core(engine).call_on_reload();
    if (manager_ != nullptr) manager_->reload_ends(engine);
}

void SignalPolicy::restart(Engine& engine) {
    if (engine::is_stopping(engine.state())) return;
    if (manager_ != nullptr) manager_->restart_begins(engine);
    const auto begun =
        engine.restart(restart_command_.empty() ? own_command_line() : restart_command_);
    if (begun) return;
    EngineAccess::core(engine).log(LogLevel::error, begun.error().to_string());
    if (manager_ != nullptr) manager_->restart_fails();
}

void SignalPolicy::end(Engine& engine) {
    watch_.reset();
    if (explains_) explain(engine);
}

// A warning, so that it is seen: it was asked for.
void SignalPolicy::explain(Engine& engine) const {
    engine::Core& core = EngineAccess::core(engine);
    if (core.state() != EngineState::stopped) return;
    std::string text = core.coordinator().report().explain();
    while (text.ends_with('\n')) text.pop_back();
    core.log(LogLevel::warning, text);
}

}  // namespace berth::service
