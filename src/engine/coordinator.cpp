// SPDX-License-Identifier: MIT
//
// Coordinator: the phases of a stop.

#include "engine/coordinator.hpp"

#include "engine/core.hpp"

#include <algorithm>
#include <utility>

namespace berth::engine {

void Coordinator::reset(std::size_t descriptors_open) {
    report_ = {};
    report_.descriptors.before = descriptors_open;
    at_boot_ = totals();
    done_ = false;
}

Instant Coordinator::advance() {
    while (step()) {
    }
    return done_ ? Instant{} : next_look();
}

// One transition if its condition holds.
bool Coordinator::step() {
    switch (core_.state()) {
        case EngineState::ready: return begin_stop();
        case EngineState::quiescing: return quiesce();
        case EngineState::draining: return drain();
        case EngineState::forcing: return force();
        case EngineState::reclaiming: return reclaim();
        default: return false;
    }
}

// ── Phases ───────────────────────────────────────────────────────────────────────────────────

bool Coordinator::begin_stop() {
    if (!core_.stop_request().is_asked()) return false;
    began_ = core_.system().now();
    report_.requested_by = core_.stop_request().source().to_string();
    report_.deadline = std::max(core_.deadline() - began_, Duration::zero());
    before_ = totals();
    report_.connections.at_start = core_.limit().count();
    core_.log(LogLevel::info, "stopping, asked by " + report_.requested_by + ", " +
                                  std::to_string(report_.connections.at_start) + " connections");
    enter("quiesce");
    core_.move(LifecycleEvent::stop);
    for (std::size_t i = 0; i < core_.worker_count(); ++i) core_.worker(i).close_listeners();
    return true;
}

bool Coordinator::quiesce() {
    const bool closed = all_workers([](Worker& worker) { return worker.listeners_are_closed(); });
    if (!closed && !expired(core_.deadline())) return false;
    if (closed) {
        enter("drain");
        core_.move(LifecycleEvent::quiesced);
        for (std::size_t i = 0; i < core_.worker_count(); ++i) core_.worker(i).drain();
        return true;
    }
    return drain();
}

bool Coordinator::drain() {
    if (core_.state() == EngineState::draining && core_.limit().count() == 0) {
        forced_at_ = core_.system().now();
        enter("reclaim");
        core_.move(LifecycleEvent::drained);
        leaving_since_ = forced_at_;
        for (std::size_t i = 0; i < core_.worker_count(); ++i) core_.worker(i).leave();
        return true;
    }
    if (!expired(core_.deadline())) return false;
    forced_at_ = core_.system().now();
    enter("force");
    core_.move(LifecycleEvent::expired);
    for (std::size_t i = 0; i < core_.worker_count(); ++i) core_.worker(i).force();
    return true;
}

bool Coordinator::force() {
    const bool gone = core_.limit().count() == 0 &&
                      all_workers([](Worker& worker) { return worker.listeners_are_closed(); });
    if (!gone && !expired(forced_at_ + kGrace)) return false;
    enter("reclaim");
    core_.move(gone ? LifecycleEvent::drained : LifecycleEvent::expired);
    leaving_since_ = core_.system().now();
    for (std::size_t i = 0; i < core_.worker_count(); ++i) core_.worker(i).leave();
    return true;
}

bool Coordinator::reclaim() {
    const bool left = all_workers([](Worker& worker) { return worker.has_left(); });
    if (!left && !expired(leaving_since_ + kGrace)) return false;
    if (!left) record_stuck();
    count();
    enter("verify");
    core_.move(LifecycleEvent::reclaimed);
    done_ = true;
    return false;
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

void Coordinator::enter(std::string_view phase) {
    close_phase();
    phase_began_ = core_.system().now();
    report_.phases.push_back({.name = phase, .start = phase_began_ - began_});
}

void Coordinator::close_phase() {
    if (report_.phases.empty()) return;
    report_.phases.back().duration = core_.system().now() - phase_began_;
}

bool Coordinator::expired(Deadline deadline) const { return core_.system().now() >= deadline; }

Instant Coordinator::next_look() const {
    switch (core_.state()) {
        case EngineState::quiescing:
        case EngineState::draining: return core_.deadline();
        case EngineState::forcing: return forced_at_ + kGrace;
        case EngineState::reclaiming: return leaving_since_ + kGrace;
        default: return Instant::never();
    }
}

template <class Fact>
bool Coordinator::all_workers(Fact&& fact) const {
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        if (!core_.worker(i).has_left() && !fact(core_.worker(i))) return false;
    }
    return true;
}

// ── The report ───────────────────────────────────────────────────────────────────────────────

Coordinator::Totals Coordinator::totals() const {
    Totals totals;
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        Worker& worker = core_.worker(i);
        const net::LoopCounters& counters = worker.counters();
        totals.opened += counters.opened.value();
        totals.tasks_run += counters.tasks_run.value();
        totals.tasks_cancelled += counters.tasks_cancelled.value();
        totals.handler_exceptions += counters.handler_exceptions.value();
        totals.forced += counters.stop_forced.value();
        for (std::size_t reason = 0; reason < kCloseReasons; ++reason) {
            totals.closed[reason] += counters.closed[reason].value();
        }
        totals.bytes.written += counters.stop_written.value();
        totals.bytes.acknowledged += counters.stop_acknowledged.value();
        totals.bytes.discarded += counters.stop_discarded.value();
        totals.bytes.unconfirmed += counters.stop_unconfirmed.value();
        totals.bytes.received_after_fin += counters.stop_received_late.value();
    }
    return totals;
}

void Coordinator::count() {
    const Totals now = totals();
    report_.connections.opened_during_stop = now.opened - before_.opened;
    report_.connections.forced = now.forced - at_boot_.forced;
    for (std::size_t reason = 0; reason < kCloseReasons; ++reason) {
        report_.connections.closed[reason] = now.closed[reason] - before_.closed[reason];
    }
    report_.bytes.written = now.bytes.written - at_boot_.bytes.written;
    report_.bytes.acknowledged = now.bytes.acknowledged - at_boot_.bytes.acknowledged;
    report_.bytes.discarded = now.bytes.discarded - at_boot_.bytes.discarded;
    report_.bytes.unconfirmed = now.bytes.unconfirmed - at_boot_.bytes.unconfirmed;
    report_.bytes.received_after_fin =
        now.bytes.received_after_fin - at_boot_.bytes.received_after_fin;
    report_.tasks = {.run = now.tasks_run - before_.tasks_run,
                     .cancelled = now.tasks_cancelled - at_boot_.tasks_cancelled};
    report_.handler_exceptions = now.handler_exceptions - at_boot_.handler_exceptions;
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        const Worker& worker = core_.worker(i);
        if (worker.has_left()) ++report_.loops.joined;
        if (worker.has_failed()) {
            report_.failure = Error::from_errno("poll", worker.failure()).to_string();
        }
    }
}

void Coordinator::record_stuck() {
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        Worker& worker = core_.worker(i);
        if (worker.has_left()) continue;
        report_.loops.stuck.push_back({.loop = i,
                                       .callback = net::to_string(worker.callback()),
                                       .since = core_.system().now() - forced_at_});
    }
}

// The addresses as they are now that nothing of this engine is left.
void Coordinator::verify() {
    for (const Endpoint& endpoint : core_.endpoints()) {
        const auto tried = net::try_bind(core_.system(), endpoint);
        StopReport::Listener listener{.endpoint = endpoint,
                                      .quiesce = "best_effort",
                                      .released = tried.has_value(),
                                      .cause = {}};
        if (!tried) {
            listener.cause =
                Error::from_errno("bind", tried.errno_value()).at(endpoint.to_string()).to_string();
        }
        report_.listeners.push_back(std::move(listener));
    }
}

void Coordinator::conclude() {
    report_.duration = core_.system().now() - began_;
    const bool held = std::ranges::any_of(report_.listeners,
                                          [](const auto& listener) { return !listener.released; });
    if (!report_.loops.stuck.empty()) {
        report_.outcome = StopOutcome::stuck;
    } else if (!report_.failure.empty()) {
        report_.outcome = StopOutcome::failed;
    } else if (held) {
        report_.outcome = StopOutcome::port_held;
    } else if (report_.connections.forced > 0 || report_.bytes.discarded > 0) {
        report_.outcome = StopOutcome::forced;
    } else if (core_.was_stopped_during_boot()) {
        report_.outcome = StopOutcome::cancelled_during_boot;
    } else {
        report_.outcome = StopOutcome::clean;
    }
}

void Coordinator::finish() {
    verify();
    report_.descriptors.after = core_.system().descriptors_open();
    close_phase();
    conclude();
    core_.call_on_shutdown(report_);
    core_.log(report_.ok() ? LogLevel::info : LogLevel::warning, report_.to_string());
    core_.move(LifecycleEvent::verified);
}

}  // namespace berth::engine
