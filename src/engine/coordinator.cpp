// SPDX-License-Identifier: MIT
//
// Coordinator: the phases of a stop.

#include "engine/coordinator.hpp"

#include "engine/core.hpp"
#include "engine/log_lines.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace berth::engine {

namespace {

// Emptying the listeners takes no more than this share of what the deadline leaves.
constexpr int kQuiesceShare = 10;

// A listener whose queue cannot be emptied for want of descriptors gets them when connections go.
constexpr Duration kClosingPatience = std::chrono::milliseconds{50};

// What it takes the kernel to close a connection whose send queue is full, several times over when
// two loops free memory at a time.
constexpr Duration kForcingTime = std::chrono::microseconds{250};

// With less time than this left nobody is looked at again before the deadline.
constexpr Duration kStalledLookMin = std::chrono::milliseconds{50};

}  // namespace

void Coordinator::reset(std::size_t descriptors_open) {
    record_.reset(descriptors_open);
    quiescence_.reset();
    listener_stops_.reset();
    was_handed_over_ = false;
    stalled_look_.reset();
    suspends_ = false;
    done_ = false;
}

Instant Coordinator::advance() {
    const Instant handover = core_.handover().advance();
    while (step()) {
    }
    return done_ ? Instant{} : std::min(handover, next_look());
}

std::span<const int> Coordinator::watched() { return core_.handover().watched(); }

// One transition if its condition holds.
bool Coordinator::step() {
    switch (core_.state()) {
        case EngineState::ready:
            return begin_stop() || add_listeners() || listener_stops_.step() || suspend();
        case EngineState::suspended:
            return begin_stop() || add_listeners() || listener_stops_.step() || resume();
        case EngineState::handing_over: return begin_stop();
        case EngineState::lame_duck: return wait_as_lame_duck();
        case EngineState::quiescing: return quiesce();
        case EngineState::draining:
        case EngineState::lingering: return drain();
        case EngineState::forcing: return force();
        case EngineState::reclaiming: return reclaim();
        default: return false;
    }
}

// Not while another generation takes over: what it was offered stays what there is.
bool Coordinator::add_listeners() {
    return !core_.handover().is_busy() && core_.assign_added_listeners();
}

// ── Suspending ───────────────────────────────────────────────────────────────────────────────

// The state follows when every acceptor has stopped; what is told twice is done once.
bool Coordinator::suspend() {
    if (!core_.wants_suspension()) {
        if (std::exchange(suspends_, false)) core_.resume_listeners();
        return false;
    }
    if (!core_.listeners_are_suspended()) {
        suspends_ = true;
        core_.suspend_listeners();
        return false;
    }
    suspends_ = false;
    return core_.move(LifecycleEvent::suspend);
}

bool Coordinator::resume() {
    if (core_.wants_suspension() || !core_.move(LifecycleEvent::resume)) return false;
    core_.resume_listeners();
    return true;
}

// ── Phases ───────────────────────────────────────────────────────────────────────────────────

bool Coordinator::begin_stop() {
    if (!core_.stop_request().is_asked() || !core_.handover().lets_stop()) return false;
    record_.begin(core_.system().now());
    core_.stop_adding_listeners();
    was_handed_over_ = core_.handover().has_given();
    core_.move(LifecycleEvent::stop);
    if (core_.state() == EngineState::quiescing) {  // from handing_over
        begin_quiescing();
    } else if (lame_duck_end() > record_.began()) {
        record_.enter("lame_duck");
    }
    return true;
}

// At most half of the time there is; whoever shortens the deadline ends it, too.
Instant Coordinator::lame_duck_end() const {
    const Duration asked = core_.options().lame_duck.value_or(Duration::zero());
    const Instant began = record_.began();
    if (core_.deadline().is_never()) return began + asked;
    return began + std::min(asked, (core_.deadline() - began) / 2);
}

bool Coordinator::wait_as_lame_duck() {
    if (expired(core_.deadline())) return begin_forcing();
    if (!expired(lame_duck_end())) return false;
    core_.move(LifecycleEvent::quiesce);
    begin_quiescing();
    return true;
}

void Coordinator::begin_quiescing() {
    const Instant now = core_.system().now();
    const Duration left = core_.deadline().is_never() ? kNever : core_.deadline() - now;
    quiesce_end_ = now + std::min(core_.options().quiesce_max, left / kQuiesceShare);
    record_.enter("quiesce");
    quiescence_.begin();
    // Suspended ones: their queues are emptied, too.
    if (!was_handed_over_) core_.resume_listeners();
    quiescing_ = Quiescing::emptying;
}

bool Coordinator::quiesce() {
    if (expired(core_.deadline())) return begin_forcing();
    if (quiescing_ == Quiescing::emptying) {
        if (!quiescence_.is_empty() && !expired(quiesce_end_)) return false;
        quiescing_ = Quiescing::closing;
        closing_end_ = core_.system().now() + kClosingPatience;
        tell_workers([](Worker& worker) { worker.close_listeners(); });
        return true;
    }
    if (!listeners_are_quiet() && !expired(closing_end_)) return false;
    return begin_draining();
}

bool Coordinator::begin_draining() {
    record_.enter("drain");
    core_.move(LifecycleEvent::quiesced);
    tell_workers([](Worker& worker) { worker.drain(); });
    return true;
}

bool Coordinator::drain() {
    if (core_.limit().count() == 0 && listeners_are_closed()) {
        return begin_reclaiming(LifecycleEvent::drained);
    }
    if (expired(core_.deadline())) return begin_forcing();
    if (expired(stalled_look())) look_for_stalled();
    if (core_.state() == EngineState::lingering) return false;
    if (!all_workers([](Worker& worker) { return worker.is_settled(); })) return false;
    record_.enter("linger");
    return core_.move(LifecycleEvent::settled);
}

// The deadline is when everything is over, so those for whom nobody can do anything are cut off
// before it, by as much as that takes; and not before half of the time has passed.
Instant Coordinator::stalled_end() const {
    if (core_.deadline().is_never()) return Instant::never();
    const auto per_loop = static_cast<Duration::rep>(core_.limit().count() / core_.worker_count());
    const Duration longest = (core_.deadline() - record_.began()) / 2;
    return core_.deadline() - std::min(kForcingTime * per_loop, longest);
}

Instant Coordinator::stalled_look() const { return stalled_look_.value_or(stalled_end()); }

// Who was still moving may stall later: half of the time that is left is enough to see it again.
void Coordinator::look_for_stalled() {
    tell_workers([](Worker& worker) { worker.force_stalled(); });
    const Instant now = core_.system().now();
    const Duration left = core_.deadline() - now;
    stalled_look_ = left > kStalledLookMin ? now + left / 2 : Instant::never();
}

bool Coordinator::begin_forcing() {
    forced_at_ = core_.system().now();
    record_.enter("force");
    core_.move(LifecycleEvent::expired);
    tell_workers([](Worker& worker) { worker.force(); });
    return true;
}

bool Coordinator::force() {
    const bool gone = core_.limit().count() == 0 && listeners_are_closed();
    if (!gone && !expired(forced_at_ + kGrace)) return false;
    return begin_reclaiming(gone ? LifecycleEvent::drained : LifecycleEvent::expired);
}

bool Coordinator::begin_reclaiming(LifecycleEvent event) {
    leaving_since_ = core_.system().now();
    record_.enter("reclaim");
    core_.move(event);
    tell_workers([](Worker& worker) { worker.leave(); });
    return true;
}

bool Coordinator::reclaim() {
    const bool left = all_workers([](Worker& worker) { return worker.has_left(); });
    if (!left && !expired(leaving_since_ + kGrace)) return false;
    if (!left) record_.add_stuck(leaving_since_);
    record_.add_up();
    record_.enter("verify");
    core_.move(LifecycleEvent::reclaimed);
    done_ = true;
    return false;
}

// ── The last words ───────────────────────────────────────────────────────────────────────────

std::optional<Instant> Coordinator::finish() {
    if (const auto again = verify()) return again;
    for (std::size_t index = 0; index < core_.listeners().size(); ++index) {
        record_.add(report_of(index));
    }
    verifications_.clear();
    core_.handover().end(to_string(record_.outcome(was_handed_over_)));
    record_.conclude(was_handed_over_);
    core_.statistics().stopped(report());
    core_.call_on_shutdown(report());
    for (const std::string& line : forced_lines(report())) core_.log(LogLevel::warning, line);
    for (const std::string& line : stuck_lines(report())) core_.log(LogLevel::error, line);
    core_.log_transition(core_.state(),
                         EngineState::stopped);  // ahead: the report has the last word
    core_.log(level_of(report()), report().to_string());
    core_.move(LifecycleEvent::verified);
    return {};
}

// The addresses, now that nothing of this engine has them. What another holds, too, is not tried.
std::optional<Instant> Coordinator::verify() {
    if (verifications_.empty() && core_.options().verify) {
        for (std::size_t index = 0; index < core_.listeners().size(); ++index) {
            if (core_.listeners().is_shared(index) || listener_stops_.report_of(index)) continue;
            verifications_.push_back(
                {.listener = index,
                 .verification = {core_.system(), core_.listeners().endpoint(index),
                                  core_.listeners().inodes(index), core_.options().share_port}});
        }
    }
    std::optional<Instant> next;
    for (Verified& verified : verifications_) {
        const auto again = verified.verification.step();
        if (again) next = std::min(next.value_or(*again), *again);
    }
    return next;
}

ListenerReport Coordinator::report_of(std::size_t listener) const {
    if (const ListenerReport* earlier = listener_stops_.report_of(listener)) return *earlier;
    ListenerReport report;
    report.endpoint = core_.listeners().endpoint(listener);
    if (core_.listeners().is_shared(listener)) report.quiesce = "handed_over";
    listener_stops_.report_quiescence(listener, report);
    quiescence_.report(listener, report);
    core_.listeners().count_late(listener, report);
    for (const Verified& verified : verifications_) {
        if (verified.listener == listener) verified.verification.fill(report);
    }
    return report;
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

bool Coordinator::expired(Deadline deadline) const { return core_.system().now() >= deadline; }

Instant Coordinator::next_look() {
    switch (core_.state()) {
        case EngineState::ready:
        case EngineState::suspended: return listener_stops_.next_look();
        case EngineState::lame_duck: return std::min(lame_duck_end(), record_.sample());
        case EngineState::quiescing: {
            const Instant now = core_.system().now();
            const Instant again = quiescing_ == Quiescing::emptying
                                      ? std::min(quiesce_end_, now + net::Quiesce::kInterval)
                                      : closing_end_;
            return std::min(again, record_.sample());
        }
        case EngineState::draining:
        case EngineState::lingering: {
            const Instant end = std::min<Instant>(core_.deadline(), stalled_look());
            return std::min(end, record_.sample());
        }
        case EngineState::forcing: return forced_at_ + kGrace;
        case EngineState::reclaiming: return leaving_since_ + kGrace;
        default: return Instant::never();
    }
}

bool Coordinator::listeners_are_closed() const {
    return all_workers([](Worker& worker) { return worker.listeners_are_closed(); });
}

bool Coordinator::listeners_are_quiet() const {
    return all_workers([](Worker& worker) { return worker.listeners_are_quiet(); });
}

template <class Fact>
bool Coordinator::all_workers(Fact&& fact) const {
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        if (!core_.worker(i).has_left() && !fact(core_.worker(i))) return false;
    }
    return true;
}

template <class Call>
void Coordinator::tell_workers(Call&& call) const {
    for (std::size_t i = 0; i < core_.worker_count(); ++i) call(core_.worker(i));
}

}  // namespace berth::engine
