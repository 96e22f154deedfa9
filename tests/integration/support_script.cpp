// SPDX-License-Identifier: MIT
//
// Script, Journal: writing down.

#include "integration/support_script.hpp"

#include <algorithm>

namespace berth::test {

void Script::note(const char* callback) {
    const std::lock_guard lock(mutex_);
    calls_.emplace_back(callback);
}

std::vector<std::string> Script::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

std::size_t Script::count(const std::string& callback) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(calls_, callback));
}

std::vector<ConnectionId> Script::opened() const {
    const std::lock_guard lock(mutex_);
    return opened_;
}

std::vector<ConnectionId> Script::closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
}

std::vector<CloseReason> Script::reasons() const {
    const std::lock_guard lock(mutex_);
    return reasons_;
}

// ── The callbacks ────────────────────────────────────────────────────────────────────────────

void Script::on_boot(Engine& engine) {
    note("on_boot");
    if (has(boot)) boot(engine);
}

void Script::on_loop_start(EventLoop& loop) {
    note("on_loop_start");
    if (has(loop_start)) loop_start(loop);
}

void Script::on_loop_stop(EventLoop& loop) {
    note("on_loop_stop");
    if (has(loop_stop)) loop_stop(loop);
}

Action Script::on_open(Connection& peer) {
    note("on_open");
    {
        const std::lock_guard lock(mutex_);
        opened_.push_back(peer.id());
    }
    return has(open) ? open(peer) : Action::none;
}

Action Script::on_traffic(Connection& peer) {
    note("on_traffic");
    return has(traffic) ? traffic(peer) : EventHandler::on_traffic(peer);
}

Action Script::on_end(Connection& peer) {
    note("on_end");
    return has(end) ? end(peer) : EventHandler::on_end(peer);
}

void Script::on_writable(Connection& peer) {
    note("on_writable");
    if (has(writable)) writable(peer);
}

Action Script::on_drain(Connection& peer, Deadline deadline) {
    note("on_drain");
    return has(drain) ? drain(peer, deadline) : EventHandler::on_drain(peer, deadline);
}

void Script::on_close(Connection& peer, CloseReason reason) {
    note("on_close");
    if (has(close)) close(peer, reason);
    const std::lock_guard lock(mutex_);
    closed_.push_back(peer.id());
    reasons_.push_back(reason);
}

std::optional<Buffer> Script::on_export(Connection& peer) {
    if (!has(travel_out)) return EventHandler::on_export(peer);
    note("on_export");
    return travel_out(peer);
}

Action Script::on_import(Connection& peer, Bytes state) {
    note("on_import");
    {
        const std::lock_guard lock(mutex_);
        opened_.push_back(peer.id());
    }
    return has(travel_in) ? travel_in(peer, state) : Action::none;
}

void Script::on_connect_failed(EventLoop& loop, ConnectionId id, const Error& error) {
    note("on_connect_failed");
    if (has(connect_failed)) connect_failed(loop, id, error);
}

void Script::on_datagram(Datagram& arrived) {
    if (has(datagram)) datagram(arrived);
}

Duration Script::on_tick(EventLoop& loop) {
    return has(tick) ? tick(loop) : EventHandler::on_tick(loop);
}

void Script::on_listener_closed(Engine&, const ListenerReport& report) {
    note("on_listener_closed");
    if (has(listener_closed)) listener_closed(report);
}

void Script::on_shutdown(const StopReport& report) {
    note("on_shutdown");
    if (has(shutdown)) shutdown(report);
}

Action echo(Connection& peer) {
    peer.write(peer.next());
    return Action::none;
}

// ── Journal ──────────────────────────────────────────────────────────────────────────────────

void Journal::log(LogLevel level, std::string_view message) {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(level, message);
}

std::size_t Journal::count(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(
        lines_, [part](const auto& line) { return line.second.contains(part); }));
}

std::string Journal::last() const {
    const std::lock_guard lock(mutex_);
    return lines_.empty() ? std::string() : lines_.back().second;
}

bool Journal::has(LogLevel level, std::string_view part) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(lines_, [&](const auto& line) {
        return line.first == level && line.second.find(part) != std::string::npos;
    });
}

}  // namespace berth::test
