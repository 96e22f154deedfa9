// SPDX-License-Identifier: MIT
//
// Announcer: lines on stdout, flushed.

#include "announcer.hpp"

#include "system.hpp"

#include <berth/endpoint.hpp>

#include <iostream>

namespace berth::app {

void Announcer::on_boot(Engine& engine) {
    for (const Endpoint& endpoint : engine.endpoints()) {
        std::cout << "listening " << endpoint.to_string() << '\n';
    }
    std::cout << std::flush;
}

void Announcer::on_loop_start(EventLoop& loop) {
    if (was_asked_to_stop()) loop.engine().request_stop();
    if (loops_started_.fetch_add(1) + 1 == loop.engine().loop_count()) announce_ready();
}

void Announcer::announce_ready() {
    std::cout << "ready\n" << std::flush;
    if (ready_fd_) write_newline(*ready_fd_);
}

}  // namespace berth::app
