// SPDX-License-Identifier: MIT
//
// Service: the handler of the server under test. It does one of everything, on demand.
//
// A connection's first byte says what it is. `e`: all bytes go back, this one too. `c`: each
// further byte is a command:
//
//     B  answers with kBigAnswer bytes       T  a task is posted to this connection, answers t
//     D  connects to our TCP address,        Q  says bye, and closes
//     U  to our Unix path; both answer y,    Z  holds its loop until a stop begins, answers z
//        or n if it failed                   N  will not close when asked to drain
//
// When only connections of N are left, the deadline of the stop is now.

#pragma once

#include "faults/board.hpp"

#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/session.hpp>

#include <atomic>
#include <string>

namespace berth::test {

class Service final : public EventHandler {
public:
    explicit Service(Board& board) : board_(board) {}

    void on_boot(Engine& engine) override;
    void on_loop_start(EventLoop& loop) override;
    Action on_open(Connection& peer) override;
    void on_connect_failed(EventLoop& loop, ConnectionId id, const Error& error) override;
    Action on_traffic(Connection& peer) override;
    Action on_drain(Connection& peer, Deadline deadline) override;
    void on_close(Connection& peer, CloseReason reason) override;
    Duration on_tick(EventLoop& loop) override;
    void on_shutdown(const StopReport& report) override;

private:
    struct Session;

    void echo(Connection& peer);
    Action obey(Connection& peer, Session& session, char command);
    void dial(Connection& peer, const Endpoint& to);
    void dial_failed(const Error& error);
    void answer(ConnectionId asker, std::string_view text);
    void hold(const Engine& engine);
    Completion completion();

    Board& board_;
    Engine* engine_ = nullptr;
    std::string big_answer_;
    ConnectionId asker_;  // who has asked for a dial that is under way; one at a time, one loop
    std::atomic<unsigned> staying_ = 0;  // connections of N
    std::atomic<int> ticks_ = 0;
};

}  // namespace berth::test
