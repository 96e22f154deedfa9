// SPDX-License-Identifier: MIT
//
// StopRecord: phases, samples, sums.

#include "engine/stop_record.hpp"

#include "engine/core.hpp"

#include <algorithm>
#include <utility>

namespace berth::engine {

void StopRecord::reset(std::size_t descriptors_open) {
    report_ = {};
    report_.descriptors.before = descriptors_open;
    at_boot_ = totals();
    forced_at_boot_ = forced_by_loop();
}

void StopRecord::begin(Instant now) {
    began_ = now;
    next_sample_ = now;
    core_.statistics().stopping(now);
    sample_interval_ = kSampleInterval;
    report_.requested_by = core_.stop_request().source().to_string();
    report_.deadline = std::max(core_.deadline() - began_, Duration::zero());
    report_.samples.reserve(StopReport::kSamplesMax);
    before_ = totals();
    forced_before_ = forced_by_loop();
    report_.connections.at_start = core_.limit().count();
}

void StopRecord::enter(std::string_view phase) {
    close_phase();
    phase_began_ = core_.system().now();
    report_.phases.push_back(
        {.name = phase, .start = phase_began_ - began_, .duration = Duration::zero()});
}

void StopRecord::close_phase() {
    if (report_.phases.empty()) return;
    report_.phases.back().duration = core_.system().now() - phase_began_;
}

// ── Samples ──────────────────────────────────────────────────────────────────────────────────

Instant StopRecord::sample() {
    const Instant now = core_.system().now();
    if (now < next_sample_) return next_sample_;
    if (report_.samples.size() == StopReport::kSamplesMax) thin_samples();
    report_.samples.push_back(core_.connections_by_state(now - began_));
    next_sample_ = now + sample_interval_;
    return next_sample_;
}

// Every second one goes: a stop that lasts longer is drawn more coarsely.
void StopRecord::thin_samples() {
    for (std::size_t i = 0; i < report_.samples.size() / 2; ++i) {
        report_.samples[i] = report_.samples[2 * i];
    }
    report_.samples.resize(report_.samples.size() / 2);
    sample_interval_ *= 2;
}

// ── Sums ─────────────────────────────────────────────────────────────────────────────────────

StopRecord::Totals StopRecord::totals() const {
    Totals totals;
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        Worker& worker = core_.worker(i);
        const net::LoopCounters& counters = worker.counters();
        totals.opened += counters.opened.value();
        totals.tasks_run += counters.tasks_run.value();
        totals.tasks_cancelled += counters.tasks_cancelled.value();
        totals.timers_dropped += counters.timers_dropped.value();
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

// Before a first run there are no loops.
std::vector<std::size_t> StopRecord::forced_by_loop() const {
    std::vector<std::size_t> forced(core_.worker_count());
    for (std::size_t i = 0; i < forced.size(); ++i) {
        forced[i] = core_.worker(i).counters().stop_forced.value();
    }
    return forced;
}

void StopRecord::add_up() {
    const Totals now = totals();
    report_.connections.opened_during_stop = now.opened - before_.opened;
    report_.connections.forced = now.forced - before_.forced;
    for (std::size_t reason = 0; reason < kCloseReasons; ++reason) {
        report_.connections.closed[reason] = now.closed[reason] - before_.closed[reason];
    }
    report_.bytes.written = now.bytes.written - before_.bytes.written;
    report_.bytes.acknowledged = now.bytes.acknowledged - before_.bytes.acknowledged;
    report_.bytes.discarded = now.bytes.discarded - before_.bytes.discarded;
    report_.bytes.unconfirmed = now.bytes.unconfirmed - before_.bytes.unconfirmed;
    report_.bytes.received_after_fin =
        now.bytes.received_after_fin - before_.bytes.received_after_fin;
    report_.tasks = {.run = now.tasks_run - before_.tasks_run,
                     .cancelled = now.tasks_cancelled - at_boot_.tasks_cancelled,
                     .timers_dropped = now.timers_dropped - at_boot_.timers_dropped};
    report_.handler_exceptions = now.handler_exceptions - at_boot_.handler_exceptions;
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        Worker& worker = core_.worker(i);
        if (worker.has_left()) {
            ++report_.loops.joined;
            add_forced(i);
        }
        if (worker.has_failed()) {
            report_.failure = Error::from_errno("poll", worker.failure()).to_string();
        }
    }
}

// But for those whom the end of a listener had cut off before, in this run.
void StopRecord::add_forced(std::size_t loop) {
    const std::size_t at_boot = loop < forced_at_boot_.size() ? forced_at_boot_[loop] : 0;
    const std::size_t before = forced_before_[loop] - at_boot;
    const auto all = core_.worker(loop).table().forced();
    for (const StopReport::Forced& forced : all.subspan(std::min(before, all.size()))) {
        if (report_.forced.size() == StopReport::kForcedMax) return;
        report_.forced.push_back(forced);
    }
}

void StopRecord::add_stuck(Instant patience_ended) {
    const Instant now = core_.system().now();
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        Worker& worker = core_.worker(i);
        if (worker.has_left()) continue;
        report_.loops.stuck.push_back({.loop = i,
                                       .callback = net::to_string(worker.callback()),
                                       .since = now - worker.busy_since().value_or(patience_ended),
                                       .thread = worker.thread()});
    }
}

void StopRecord::conclude(bool was_handed_over) {
    report_.descriptors.after = core_.system().descriptors_open();
    close_phase();
    report_.duration = core_.system().now() - began_;
    report_.outcome = outcome(was_handed_over);
}

StopOutcome StopRecord::outcome(bool was_handed_over) const {
    if (!report_.loops.stuck.empty()) return StopOutcome::stuck;
    if (!report_.failure.empty()) return StopOutcome::failed;
    if (std::ranges::any_of(report_.listeners, &ListenerReport::is_held)) {
        return StopOutcome::port_held;
    }
    if (report_.connections.forced > 0 || report_.bytes.discarded > 0) return StopOutcome::forced;
    if (was_handed_over) return StopOutcome::handed_over;
    return core_.was_stopped_during_boot() ? StopOutcome::cancelled_during_boot
                                           : StopOutcome::clean;
}

}  // namespace berth::engine
