// SPDX-License-Identifier: MIT
//
// Announcer: tells the world where and when; what is served is up to the derived class.
//
// An idle connection of these services travels to the next generation as it is.

#pragma once

#include <berth/buffer.hpp>
#include <berth/connection.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/handler.hpp>

#include <atomic>
#include <cstddef>
#include <optional>

namespace berth::app {

class Announcer : public EventHandler {
public:
    // A newline is written to `ready_fd` when ready, too.
    explicit Announcer(std::optional<int> ready_fd) : ready_fd_(ready_fd) {}

    void on_boot(Engine& engine) override;
    void on_loop_start(EventLoop& loop) override;
    std::optional<Buffer> on_export(Connection&) override { return Buffer(); }

private:
    void announce_ready();

    std::optional<int> ready_fd_;
    std::atomic<std::size_t> loops_started_ = 0;
};

}  // namespace berth::app
