// SPDX-License-Identifier: MIT
//
// Service: the commands, and the book-keeping.

#include "faults/server/service.hpp"

#include "faults/script.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace berth::test {

namespace {

constexpr Duration kHoldMax = std::chrono::seconds{1};
constexpr int kTicks = 3;  // per loop

}  // namespace

struct Service::Session {
    std::string name{};    // of the peer; asked for when it opens
    char kind = '\0';      // the first byte
    ConnectionId asker{};  // of a dialled connection: who asked for it, until it is answered
    bool is_staying = false;
    bool is_open = true;
};

// ── The engine ───────────────────────────────────────────────────────────────────────────────

void Service::on_boot(Engine& engine) {
    engine_ = &engine;
    big_answer_ = pattern(kBigAnswer);
    board_.port = engine.endpoints().front().port();
    board_.phase = Phase::serving;
}

void Service::on_loop_start(EventLoop&) {
    if (board_.shutdowns > 0) ++board_.disorders;
}

Duration Service::on_tick(EventLoop&) {
    if (board_.shutdowns > 0) ++board_.disorders;
    return ++ticks_ < 2 * kTicks ? Duration(std::chrono::milliseconds{1}) : kNever;
}

void Service::on_shutdown(const StopReport&) { ++board_.shutdowns; }

// ── Connections ──────────────────────────────────────────────────────────────────────────────

Action Service::on_open(Connection& peer) {
    ++board_.opened;
    if (board_.shutdowns > 0) ++board_.disorders;
    auto& session =
        peer.emplace_context<Session>(Session{.name = peer.peer_endpoint().to_string()});
    if (peer.listener_index() == Connection::kNoListener) {
        session.asker = std::exchange(asker_, {});
        peer.write("e");
    }
    return Action::none;
}

Action Service::on_traffic(Connection& peer) {
    Session& session = *peer.context<Session>();
    if (peer.listener_index() == Connection::kNoListener) {
        peer.discard();
        answer(std::exchange(session.asker, {}), "y");
        return Action::close;
    }
    if (session.kind == '\0') {
        session.kind = static_cast<char>(peer.peek()[0]);
        if (session.kind == 'c') peer.discard(1);
    }
    if (session.kind == 'e') return echo(peer), Action::none;
    while (peer.unread() > 0) {
        const char command = static_cast<char>(peer.next(1)[0]);
        if (obey(peer, session, command) == Action::close) return Action::close;
    }
    return Action::none;
}

void Service::echo(Connection& peer) {
    peer.write(peer.peek());
    peer.discard();
}

Action Service::obey(Connection& peer, Session& session, char command) {
    switch (command) {
        case 'B': peer.write(big_answer_); break;
        case 'D': dial(peer, engine_->endpoints()[0]); break;
        case 'U': dial(peer, engine_->endpoints()[1]); break;
        case 'T':
            board_.tasks_taken +=
                engine_->post(peer.id(), [](Connection& same) { same.write("t"); }, completion());
            break;
        case 'Q': peer.write("bye"); return Action::close;
        case 'Z': hold(*engine_), peer.write("z"); break;
        case 'N': session.is_staying = true, ++staying_; break;
        default: ++board_.disorders;
    }
    return Action::none;
}

Completion Service::completion() {
    return [this](ConnectionId, Delivery) { ++board_.tasks_completed; };
}

// The loop sees nothing of the world until the stop has begun: what arrives meanwhile waits.
void Service::hold(const Engine& engine) {
    const Instant end = engine.now() + kHoldMax;
    board_.is_held = true;
    while (engine.state() == EngineState::ready && engine.now() < end) std::this_thread::yield();
}

Action Service::on_drain(Connection& peer, Deadline) {
    const Session& session = *peer.context<Session>();
    return session.is_staying ? Action::none : Action::close;
}

void Service::on_close(Connection& peer, CloseReason reason) {
    Session& session = *peer.context<Session>();
    if (!session.is_open || board_.shutdowns > 0) ++board_.disorders;
    session.is_open = false;
    if (session.is_staying) --staying_;
    answer(session.asker, "n");
    const unsigned index = board_.closed.fetch_add(1);
    if (index < board_.closes.size()) {
        board_.closes[index].peer.set(session.name);
        board_.closes[index].reason = reason;
    }
    const unsigned left = board_.opened - board_.closed;
    if (staying_ > 0 && left == staying_) engine_->request_stop(engine_->now());
}

// ── Dialling ─────────────────────────────────────────────────────────────────────────────────

void Service::dial(Connection& peer, const Endpoint& to) {
    asker_ = peer.id();
    if (const auto dialled = peer.loop().connect(to); !dialled) dial_failed(dialled.error());
}

void Service::on_connect_failed(EventLoop&, ConnectionId, const Error& error) {
    dial_failed(error);
}

void Service::dial_failed(const Error& error) {
    board_.dial_error.set(error);
    answer(std::exchange(asker_, {}), "n");
}

void Service::answer(ConnectionId asker, std::string_view text) {
    if (asker) board_.tasks_taken += engine_->write(asker, text, completion());
}

}  // namespace berth::test
