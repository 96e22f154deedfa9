// SPDX-License-Identifier: MIT
//
// AdminHandler: answers HTTP requests, one after the other, however they arrive.
//
// It is no danger to its process: an answer waits until the peer has read the one before, a
// request must be complete in kHeadTime, and what cannot be read is answered and closed.
//
// Threads:   its engine's only loop.

#pragma once

#include "observe/admin_pages.hpp"

#include <berth/clock.hpp>
#include <berth/connection.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>

namespace berth::observe {

class AdminHandler final : public EventHandler {
public:
    static constexpr Duration kHeadTime = std::chrono::seconds{10};
    static constexpr Duration kTick = std::chrono::seconds{1};

    AdminHandler(const Engine& watched, Duration busy_max) : pages_(watched, busy_max) {}

    Action on_open(Connection& peer) override;
    Action on_traffic(Connection& peer) override;
    Action on_end(Connection& peer) override;
    void on_writable(Connection& peer) override;
    Duration on_tick(EventLoop& loop) override;

private:
    struct Visitor {
        Instant waited_for{Instant::never()};  // since when for the rest of a request
        bool has_ended = false;
    };
    // What a look at the input led to.
    enum class Step { answered, waits, ends };

    Action serve(Connection& peer);
    Step serve_one(Connection& peer, Visitor& visitor);
    void give_up_if_late(Connection& peer);

    AdminPages pages_;
};

}  // namespace berth::observe
