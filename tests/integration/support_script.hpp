// SPDX-License-Identifier: MIT
//
// Script: an EventHandler made of lambdas, which writes down what was called.
//
// A callback without a lambda does what EventHandler's own does. Set the lambdas before the
// engine starts.
//
// Lifetime:  a lambda that refers to locals of a test must not be called after them: a test that
//            leaves connections or ticks behind stops its engine, or mutes the script.
// Threads:   the lambdas run on the loops; what was written down is read by any thread.

#pragma once

#include <berth/connection.hpp>
#include <berth/datagram.hpp>
#include <berth/handler.hpp>
#include <berth/logger.hpp>
#include <berth/report.hpp>
#include <berth/result.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace berth::test {

class Script final : public EventHandler {
public:
    std::function<void(Engine&)> boot;
    std::function<void(EventLoop&)> loop_start;
    std::function<void(EventLoop&)> loop_stop;
    std::function<Action(Connection&)> open;
    std::function<Action(Connection&)> traffic;
    std::function<Action(Connection&)> end;
    std::function<void(Connection&)> writable;
    std::function<Action(Connection&, Deadline)> drain;
    std::function<void(Connection&, CloseReason)> close;
    std::function<std::optional<Buffer>(Connection&)> travel_out;
    std::function<Action(Connection&, Bytes)> travel_in;
    std::function<void(EventLoop&, ConnectionId, const Error&)> connect_failed;
    std::function<void(Datagram&)> datagram;  // not written down: there are too many
    std::function<Duration(EventLoop&)> tick;
    std::function<void(const ListenerReport&)> listener_closed;
    std::function<void(const StopReport&)> shutdown;

    void mute() { muted_ = true; }  // no lambda is called from now on

    // ── What was written down ────────────────────────────────────────────────────────────────
    std::vector<std::string> calls() const;  // names of callbacks but on_tick, in their order
    std::size_t count(const std::string& callback) const;
    std::vector<ConnectionId> opened() const;
    std::vector<ConnectionId> closed() const;
    std::vector<CloseReason> reasons() const;  // as closed()

    void on_boot(Engine& engine) override;
    void on_loop_start(EventLoop& loop) override;
    void on_loop_stop(EventLoop& loop) override;
    Action on_open(Connection& peer) override;
    Action on_traffic(Connection& peer) override;
    Action on_end(Connection& peer) override;
    void on_writable(Connection& peer) override;
    Action on_drain(Connection& peer, Deadline deadline) override;
    void on_close(Connection& peer, CloseReason reason) override;
    std::optional<Buffer> on_export(Connection& peer) override;
    Action on_import(Connection& peer, Bytes state) override;
    void on_connect_failed(EventLoop& loop, ConnectionId id, const Error& error) override;
    void on_datagram(Datagram& datagram) override;
    Duration on_tick(EventLoop& loop) override;
    void on_listener_closed(Engine& engine, const ListenerReport& report) override;
    void on_shutdown(const StopReport& report) override;

private:
    void note(const char* callback);

    bool has(const auto& lambda) const { return lambda != nullptr && !muted_; }

    std::atomic<bool> muted_ = false;
    mutable std::mutex mutex_;
    std::vector<std::string> calls_;
    std::vector<ConnectionId> opened_;
    std::vector<ConnectionId> closed_;
    std::vector<CloseReason> reasons_;
};

// Gives back what arrives.
Action echo(Connection& peer);

// Keeps what an engine says.
class Journal final : public Logger {
public:
    void log(LogLevel level, std::string_view message) override;
    bool has(LogLevel level, std::string_view part) const;
    std::size_t count(std::string_view part) const;  // lines with it
    std::string last() const;

private:
    mutable std::mutex mutex_;
    std::vector<std::pair<LogLevel, std::string>> lines_;
};

}  // namespace berth::test
