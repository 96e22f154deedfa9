// SPDX-License-Identifier: MIT
//
// Runner: puts threads under a Core: one per worker, and one that coordinates.
//
// Lifetime:  outlives its run; one run at a time.
// Threads:   start() and join() on the owner's; run() on the coordinator's.

#pragma once

#include "engine/attendant.hpp"
#include "engine/core.hpp"
#include "engine/threads.hpp"
#include "os/notifier.hpp"

#include <berth/result.hpp>

#include <span>
#include <string>
#include <vector>

namespace berth::engine {

class Runner {
public:
    explicit Runner(Core& core) : core_(core) {
        core_.on_progress([this] { notifier_.notify(); });
        core_.on_wait([this](Duration time, driver::Descriptor descriptor) {
            const int watched = driver::number(descriptor);
            notifier_.wait(time, {&watched, 1});
            attend();
        });
        core_.observe([this](EngineState from, EngineState to) { tell_attendants(from, to); });
    }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner();

    // Boots, and coordinates on a thread of its own.
    Result<void> start(std::span<const std::string> addresses);
    // Boots, and coordinates here until the end, with these standing by.
    Result<void> run(std::span<const std::string> addresses,
                     std::span<Attendant* const> attendants = {});
    // Any thread: starts the next generation, which takes over from this one.
    Result<void> restart(std::span<const std::string> command);
    // Waits for the coordinator's thread of the last run.
    void join() { coordinator_.join(); }

private:
    Result<void> prepare(std::span<const std::string> addresses, bool own_thread);
    void find_maker();
    Result<void> make_threads(bool own_thread);
    void coordinate();
    Instant attend();
    void tell_attendants(EngineState from, EngineState to);
    void cancel_threads();
    void end_workers();

    Core& core_;
    os::Notifier notifier_;
    Gate gate_;  // until on_boot has returned
    std::vector<Thread> workers_;
    Thread coordinator_;
    std::vector<Attendant*> attendants_;  // of the run under way
};

}  // namespace berth::engine
