// SPDX-License-Identifier: MIT
//
// Job: one piece of work on its way from a loop through a pool and back.
//
// Lifetime:  from make() it belongs to itself: the queue of the pool, the thread that works on it
//            and the tasks of the loop hand it on. A JobBook knows it for as long as its connection
//            is there.
// Threads:   made, returned and abandoned on the loop's; worked on by one of the pool's.

#pragma once

#include "engine/offload/way_back.hpp"
#include "loop/task.hpp"

#include <berth/connection.hpp>
#include <berth/connection_id.hpp>
#include <berth/function.hpp>

#include <atomic>
#include <memory>

namespace berth::engine::offload {

class Job final : public loop::Task {
public:
    using Rest = UniqueFunction<void(Connection&)>;
    using Body = UniqueFunction<Rest(bool is_wanted)>;

    Job(ConnectionId id, std::shared_ptr<WayBack> way, Body&& body)
        : id_(id), way_(std::move(way)), body_(std::move(body)) {}

    ConnectionId id() const { return id_; }

    // ── The loop's thread ────────────────────────────────────────────────────────────────────
    // What the loop wrote is seen by who works on it.
    void seal() { is_wanted_.store(true, std::memory_order_release); }
    // Its connection is gone: if nobody has begun, nobody need. The last that the loop does with
    // it, until it comes back: whoever finds it unwanted destroys it.
    void abandon() { is_wanted_.store(false, std::memory_order_release); }
    void run() override;  // it is back
    void cancel() override { delete this; }
    bool is_back() const { return is_back_; }
    // What follows; may throw what the user's code throws.
    void follow(Connection& connection) { rest_(connection); }
    // Had the work an end that something can follow?
    bool has_rest() const { return static_cast<bool>(rest_); }

    // ── A pool's thread: the last that it does with it ───────────────────────────────────────
    void work(bool is_ending);

    Job* behind = nullptr;  // of the same connection: the JobBook's

private:
    ConnectionId id_;
    std::shared_ptr<WayBack> way_;
    Body body_;
    Rest rest_;
    std::atomic<bool> is_wanted_{false};
    bool is_back_ = false;
};

}  // namespace berth::engine::offload
