// SPDX-License-Identifier: MIT
//
// SessionHandler<S>: one object of the user's type per connection, no cast.
//
//     struct Chat { berth::Action on_traffic(berth::Connection& peer); };
//     berth::SessionHandler<Chat> handler;
//     berth::run(handler, "tcp://:9000");
//
// A thin layer over EventHandler. S must be default-constructible; each of these members is
// optional: on_open, on_traffic, on_end, on_drain, on_writable, on_close, with the signatures of
// EventHandler. Derive from SessionHandler for the engine-wide callbacks.
//
// Lifetime:  S lives from just before on_open to just after on_close.
// Threads:   S is touched only by its connection's loop.

#pragma once

#include <berth/clock.hpp>
#include <berth/connection.hpp>
#include <berth/handler.hpp>

namespace berth {

template <class S>
class SessionHandler : public EventHandler {
public:
    Action on_open(Connection& peer) override {
        S* const given = peer.context<S>();  // by DialOptions::context
        S& session = given != nullptr ? *given : peer.emplace_context<S>();
        if constexpr (requires { session.on_open(peer); }) return session.on_open(peer);
        return Action::none;
    }
    Action on_traffic(Connection& peer) override {
        S& session = *peer.context<S>();
        if constexpr (requires { session.on_traffic(peer); }) return session.on_traffic(peer);
        return Action::none;
    }
    Action on_end(Connection& peer) override {
        S& session = *peer.context<S>();
        if constexpr (requires { session.on_end(peer); }) return session.on_end(peer);
        return EventHandler::on_end(peer);
    }
    void on_writable(Connection& peer) override {
        S& session = *peer.context<S>();
        if constexpr (requires { session.on_writable(peer); }) session.on_writable(peer);
    }
    Action on_drain(Connection& peer, Deadline deadline) override {
        S& session = *peer.context<S>();
        if constexpr (requires { session.on_drain(peer, deadline); }) {
            return session.on_drain(peer, deadline);
        }
        return EventHandler::on_drain(peer, deadline);
    }
    void on_close(Connection& peer, CloseReason reason) override {
        // No session: its constructor threw, and on_open never ran.
        S* session = peer.context<S>();
        if constexpr (requires { session->on_close(peer, reason); }) {
            if (session != nullptr) session->on_close(peer, reason);
        }
    }
};

}  // namespace berth
