// SPDX-License-Identifier: MIT
//
// Runner: puts threads under a Core: one per worker, and one that coordinates.
//
// Lifetime:  outlives its run; one run at a time.
// Threads:   start() and join() on the owner's; run() on the coordinator's.

#pragma once

#include "engine/core.hpp"
#include "engine/threads.hpp"
#include "os/notifier.hpp"
#include "os/signals.hpp"

#include <berth/result.hpp>

#include <span>
#include <string>
#include <vector>

namespace berth::engine {

class Runner {
public:
    explicit Runner(Core& core) : core_(core) {
        core_.on_progress([this] { notifier_.notify(); });
    }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner();

    // Boots, and coordinates on a thread of its own.
    Result<void> start(std::span<const std::string> addresses);
    // Boots, and coordinates here until the end; SIGTERM and SIGINT stop it.
    Result<void> run(std::span<const std::string> addresses);
    // Waits for the coordinator's thread of the last run.
    void join() { coordinator_.join(); }

private:
    Result<void> prepare(std::span<const std::string> addresses, bool own_thread);
    Result<void> make_threads(bool own_thread);
    void coordinate(const os::SignalWatch* signals);
    void obey(const os::SignalWatch& signals);
    void cancel_threads();
    void end_workers();

    Core& core_;
    os::Notifier notifier_;
    Gate gate_;  // until on_boot has returned
    std::vector<Thread> workers_;
    Thread coordinator_;
    unsigned signals_seen_ = 0;
};

}  // namespace berth::engine
