// SPDX-License-Identifier: MIT
//
// Alarms: arming, and what is checked when one runs, or should have.

#include "sim/alarms.hpp"

#include <berth/engine.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <type_traits>

namespace berth::simulation {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kStream = 3000;  // and one for each engine
constexpr Duration kTick = 1ms;          // a deadline is rounded up to one
constexpr std::size_t kAlarmsMax = 200;  // in a run

}  // namespace

Alarms::Alarms(Findings& findings, Inside& inside, std::uint64_t seed, std::size_t engine)
    : findings_(findings), inside_(inside), chance_(seed, kStream + engine), engine_(engine) {}

void Alarms::violated(const char* name, const Alarm& alarm, const char* facts) const {
    findings_.violated(name, "engine " + std::to_string(engine_) + ", timer " +
                                 std::to_string(alarm.id.number()) + " of loop " +
                                 std::to_string(alarm.loop) + ": " + facts);
}

// ── Arming ───────────────────────────────────────────────────────────────────────────────────

Alarms::Alarm& Alarms::plan(Instant from, std::size_t loop) {
    Alarm& alarm = alarms_.emplace_back();
    alarm.from = from;
    alarm.loop = loop;
    alarm.is_periodic = chance_.one_in(3);
    alarm.runs_max = alarm.is_periodic ? chance_.between(1, 6) : 1;
    alarm.delay = chance_.pick<Duration>({0ms, 1ms, 7ms, 7ms, 40ms, 1h}) + chance_.duration(3ms);
    if (alarm.is_periodic) alarm.delay = std::max<Duration>(alarm.delay, 1ms);
    return alarm;
}

template <class Scope>
void Alarms::arm(Scope& scope, Alarm& alarm) {
    const auto run = [this, &alarm](Scope& again) {
        if constexpr (std::is_same_v<Scope, Connection>) {
            ran(again.loop(), alarm);
        } else {
            ran(again, alarm);
        }
    };
    alarm.id = alarm.is_periodic ? scope.schedule_every(alarm.delay, run)
                                 : scope.schedule_after(alarm.delay, run);
    if (!alarm.id) violated("timer-refused", alarm, "though its loop runs");
}

void Alarms::loop_started(EventLoop& loop) {
    for (std::size_t left = chance_.below(4); left > 0; --left) {
        arm(loop, plan(loop.now(), loop.index()));
    }
}

void Alarms::opened(Connection& peer) {
    if (!chance_.one_in(3)) return;
    for (std::size_t left = chance_.between(1, 3); left > 0; --left) {
        Alarm& alarm = plan(peer.loop().now(), peer.loop().index());
        alarm.connection = peer.id();
        arm(peer, alarm);
    }
}

// As from another thread: to any loop of the engine.
void Alarms::post(EventLoop& loop) {
    Engine& engine = loop.engine();
    EventLoop& other = engine.loop(chance_.below(engine.loop_count()));
    Alarm& alarm = plan(engine.now(), other.index());
    const auto run = [this, &alarm](EventLoop& again) { ran(again, alarm); };
    alarm.id =
        alarm.is_periodic ? other.post_every(alarm.delay, run) : other.post_after(alarm.delay, run);
    alarm.is_over = !alarm.id;  // that loop may have ended
}

// ── Running ──────────────────────────────────────────────────────────────────────────────────

void Alarms::ran(EventLoop& loop, Alarm& alarm) {
    const Inside::Visit visit(inside_, "timer");
    check(loop, alarm);
    ++alarm.runs;
    alarm.beat = (loop.now() - alarm.from) / std::max<Duration>(alarm.delay, 1ns);
    if (alarm.runs == alarm.runs_max) {
        alarm.is_over = true;
        if (loop.cancel(alarm.id) != alarm.is_periodic) {
            violated("timer-cancel-lies", alarm, "about itself");
        }
    }
    if (alarms_.size() < kAlarmsMax && chance_.one_in(3)) post(loop);
    if (chance_.one_in(4)) cancel_another(loop, alarm);
}

void Alarms::check(EventLoop& loop, const Alarm& alarm) const {
    if (loop.index() != alarm.loop) violated("timer-astray", alarm, "it ran on another loop");
    if (alarm.is_over) violated("timer-after-its-end", alarm, "it ran again");
    if (loop.now() < alarm.from + alarm.delay) violated("timer-early", alarm, "it ran");
    const auto beat = (loop.now() - alarm.from) / std::max<Duration>(alarm.delay, 1ns);
    if (alarm.is_periodic && beat <= alarm.beat) violated("timer-off-the-beat", alarm, "it ran");
}

void Alarms::cancel_another(EventLoop& loop, const Alarm& running) {
    Alarm& other = alarms_[chance_.below(alarms_.size())];
    if (&other == &running) return;
    if (other.loop != loop.index() || chance_.one_in(2)) {
        const bool taken = loop.engine().loop(other.loop).post_cancel(other.id);
        if (taken) other.is_over = true;
        return;
    }
    // One that was posted and has not arrived is not found: it runs.
    if (loop.cancel(other.id)) {
        if (other.is_over) violated("timer-cancel-lies", other, "it was over");
        other.is_over = true;
    }
}

void Alarms::closed(ConnectionId id) {
    for (Alarm& alarm : alarms_) {
        if (alarm.connection == id) alarm.is_over = true;
    }
}

// ── In the end ───────────────────────────────────────────────────────────────────────────────

void Alarms::fell_asleep(Instant now) const {
    for (const Alarm& alarm : alarms_) {
        const auto beats = static_cast<std::int64_t>(alarm.is_periodic ? alarm.beat + 1 : 1);
        if (!alarm.is_over && now > alarm.from + beats * alarm.delay + kTick) {
            violated("timer-late", alarm, "everybody sleeps");
        }
    }
}

void Alarms::loop_stopped(EventLoop& loop) {
    for (Alarm& alarm : alarms_) {
        if (alarm.loop != loop.index() || alarm.is_over) continue;
        alarm.is_over = true;
        ++dropped_;
    }
}

void Alarms::check_dropped(std::uint64_t dropped) const {
    if (dropped == dropped_) return;
    findings_.violated("timers-miscounted",
                       std::to_string(dropped) + " were dropped, not " + std::to_string(dropped_));
}

}  // namespace berth::simulation
