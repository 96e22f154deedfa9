// SPDX-License-Identifier: MIT
//
// ListenerStops: the stages of each.

#include "engine/listener_stop.hpp"

#include "engine/core.hpp"

#include <algorithm>
#include <utility>

namespace berth::engine {

namespace {

// The loops say when a listener has closed; who is left of its connections is counted this often.
constexpr Duration kCountInterval = std::chrono::milliseconds{5};

}  // namespace

void ListenerStops::reset() { stops_.clear(); }

bool ListenerStops::step() {
    bool moved = begin_asked();
    for (Stop& stop : stops_) moved = step(stop) || moved;
    return moved;
}

bool ListenerStops::begin_asked() {
    bool began = false;
    for (std::size_t listener = 0; listener < core_.listeners().assigned(); ++listener) {
        const auto deadline = core_.listeners().take_close_request(listener);
        if (!deadline || is_known(listener)) continue;
        Stop& stop = stops_.emplace_back(core_, listener);
        stop.deadline = *deadline;
        stop.quiesce_end = core_.system().now() + core_.options().quiesce_max;
        stop.report.endpoint = core_.listeners().endpoint(listener);
        core_.log(LogLevel::info, "listener " + stop.report.endpoint.to_string() + " closes");
        stop.quiescence.begin(listener);
        began = true;
    }
    return began;
}

bool ListenerStops::step(Stop& stop) {
    switch (stop.stage) {
        case Stage::emptying: return close_when_empty(stop);
        case Stage::closing: return drain_when_closed(stop);
        case Stage::draining:
        case Stage::forcing: return await_connections(stop);
        case Stage::verifying: return verify(stop);
        case Stage::done: return false;
    }
    return false;
}

bool ListenerStops::close_when_empty(Stop& stop) {
    const Instant now = core_.system().now();
    if (!stop.quiescence.is_empty() && now < std::min(stop.quiesce_end, stop.deadline)) {
        return false;
    }
    core_.listeners().close_sockets(stop.listener);
    stop.stage = Stage::closing;
    return true;
}

// A socket with sessions closes after them.
bool ListenerStops::drain_when_closed(Stop& stop) {
    const bool has_sessions = core_.listeners().has_sessions(stop.listener);
    if (!has_sessions && !core_.listeners().is_closed(stop.listener)) return false;
    core_.listeners().drain(stop.listener, stop.deadline);
    stop.stage = Stage::draining;
    return true;
}

bool ListenerStops::await_connections(Stop& stop) {
    const bool is_empty = core_.listeners().count(stop.listener) == 0;
    if (is_empty && core_.listeners().is_closed(stop.listener)) {
        core_.listeners().listening(stop.listener).release_path();
        stop.verification.emplace(core_.system(), stop.report.endpoint,
                                  core_.listeners().inodes(stop.listener),
                                  core_.options().share_port);
        stop.stage = Stage::verifying;
        return true;
    }
    if (stop.stage == Stage::forcing || core_.system().now() < stop.deadline) return false;
    core_.listeners().force(stop.listener);
    stop.stage = Stage::forcing;
    return true;
}

bool ListenerStops::verify(Stop& stop) {
    if (const auto again = stop.verification->step()) {
        stop.verify_again = *again;
        return false;
    }
    stop.stage = Stage::done;
    stop.quiescence.report(stop.listener, stop.report);
    core_.listeners().count_late(stop.listener, stop.report);
    stop.verification->fill(stop.report);
    core_.call_on_listener_closed(stop.report);
    return true;
}

Instant ListenerStops::next_look() const {
    Instant next = Instant::never();
    const Instant now = core_.system().now();
    for (const Stop& stop : stops_) {
        if (stop.stage == Stage::emptying) next = std::min(next, now + net::Quiesce::kInterval);
        if (stop.stage == Stage::draining || stop.stage == Stage::forcing) {
            next = std::min(next, now + kCountInterval);
        }
        if (stop.stage == Stage::verifying) next = std::min(next, stop.verify_again);
    }
    return next;
}

const ListenerReport* ListenerStops::report_of(std::size_t listener) const {
    for (const Stop& stop : stops_) {
        if (stop.listener == listener && stop.stage == Stage::done) return &stop.report;
    }
    return nullptr;
}

void ListenerStops::report_quiescence(std::size_t listener, ListenerReport& into) const {
    for (const Stop& stop : stops_) stop.quiescence.report(listener, into);
}

bool ListenerStops::is_known(std::size_t listener) const {
    return std::ranges::any_of(stops_,
                               [listener](const Stop& stop) { return stop.listener == listener; });
}

}  // namespace berth::engine
