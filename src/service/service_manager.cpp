// SPDX-License-Identifier: MIT
//
// ServiceManager: transitions become messages, and time brings further ones.

#include "service/service_manager.hpp"

#include "driver/descriptor.hpp"
#include "engine/engine_core.hpp"
#include "engine/lifecycle.hpp"
#include "service/activation.hpp"
#include "service/notification.hpp"
#include "service/status.hpp"

#include <berth/clock.hpp>
#include <berth/engine.hpp>
#include <berth/engine_state.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>
#include <berth/snapshot.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace berth::service {

using engine::EngineAccess;

void ServiceManager::begin(Engine&, os::Notifier&) {}

void ServiceManager::tell(const Notification& notification) {
    if (!is_silent_) socket_.send(notification.text());
}

void ServiceManager::tell_status(Engine& engine, Notification notification) {
    tell(notification.status(status_of(engine.snapshot())));
}

// ── What happens by itself ───────────────────────────────────────────────────────────────────

void ServiceManager::changed(Engine& engine, EngineState from, EngineState to) {
    const bool stops = engine::is_stopping(to);
    if (from == EngineState::handing_over) return stops ? hand_over(engine) : resume(engine);
    if (stops) {
        const bool begins = !engine::is_stopping(from);
        return tell_progress(engine, begins ? Notification().stopping() : Notification());
    }
    if (from == EngineState::booting && to == EngineState::ready) return tell_ready(engine);
    // A start, and an end, are told by others.
    if (from >= EngineState::ready && engine::is_running(to)) tell_status(engine, {});
}

void ServiceManager::tell_ready(Engine& engine) {
    tell_status(engine, Notification().ready());
    if (settings_.keeps_listeners) keep_listeners(engine);
}

// What the last run left in the store goes: the ports that are listened on now are these.
void ServiceManager::keep_listeners(Engine& engine) {
    tell(Notification().remove_stored(kKeptName));
    for (const driver::Descriptor listener : EngineAccess::core(engine).listeners().sockets()) {
        socket_.send(Notification().store(kKeptName).text(), listener);
    }
}

// The next generation stays.
void ServiceManager::hand_over(Engine& engine) {
    const auto successor = engine.snapshot().handovers.successor;
    Notification notification = Notification().ready().status("handed over");
    if (successor > 0) notification.main_process(successor);
    tell(notification);
    is_silent_ = true;
}

// It did not last.
void ServiceManager::resume(Engine& engine) {
    restarts_failed_.reset();
    tell_status(engine, Notification().ready());
}

// The last word on it is end()'s.
void ServiceManager::tell_progress(Engine& engine, Notification notification) {
    const EngineSnapshot snapshot = engine.snapshot();
    tell(notification.status(status_of(snapshot))
             .extend_timeout(std::max(snapshot.stop.left, Duration::zero()) + kAfterDeadline));
    next_progress_ = engine.now() + kProgressInterval;
}

Instant ServiceManager::attend(Engine& engine) {
    const bool is_delivered = socket_.flush();
    const Instant now = engine.now();
    if (now >= next_progress_) tell_progress(engine, {});
    feed_watchdog(engine);
    watch_restart(engine);
    Instant next = next_progress_;
    if (!is_delivered) next = std::min(next, now + kRetryInterval);
    if (settings_.watchdog) next = std::min(next, settings_.watchdog->next());
    if (restarts_failed_) next = std::min(next, now + kRestartInterval);
    return next;
}

void ServiceManager::feed_watchdog(Engine& engine) {
    const Instant now = engine.now();
    if (!settings_.watchdog || !settings_.watchdog->is_due(now)) return;
    if (settings_.watchdog->feeds(engine.snapshot(), now)) tell(Notification().watchdog());
}

// A restart that failed before the new generation accepted shows itself in no state.
void ServiceManager::watch_restart(Engine& engine) {
    if (!restarts_failed_ || engine.state() == EngineState::handing_over) return;
    if (engine.snapshot().handovers.failed != *restarts_failed_) restart_fails();
}

void ServiceManager::end(Engine& engine) {
    if (engine.state() != EngineState::stopped) return;
    const StopReport& report = EngineAccess::core(engine).coordinator().report();
    tell(Notification().status(report.to_string()));
}

// ── What a signal asked for ──────────────────────────────────────────────────────────────────

void ServiceManager::reload_begins(Engine& engine) {
    tell(Notification().reloading(engine.now()).status("reloading"));
}

void ServiceManager::reload_ends(Engine& engine) { tell_status(engine, Notification().ready()); }

void ServiceManager::restart_begins(Engine& engine) {
    restarts_failed_ = engine.snapshot().handovers.failed;
    tell(Notification().reloading(engine.now()).status("starting the next generation"));
}

void ServiceManager::restart_fails() {
    restarts_failed_.reset();
    tell(Notification().ready().status("the restart failed; this process serves on"));
}

void ServiceManager::start_failed(const Error& error) {
    tell(Notification().status(error.to_string()));
}

}  // namespace berth::service
