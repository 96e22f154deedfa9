// SPDX-License-Identifier: MIT
//
// Pool: the threads, the queue and its bound, and who waits for room in it.
//
// Lifetime:  shared by its WorkPool and by whoever waits for room. end() joins the threads.
// Threads:   any, but end().

#pragma once

#include "engine/offload/job.hpp"
#include "engine/offload/way_back.hpp"
#include "engine/offload/work_queue.hpp"
#include "engine/threads.hpp"

#include <berth/connection_id.hpp>
#include <berth/result.hpp>
#include <berth/work_pool.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace berth::engine::offload {

class RoomCall;

class Pool : public std::enable_shared_from_this<Pool> {
public:
    explicit Pool(std::size_t waiting_max) : waiting_max_(waiting_max) {}

    Result<void> start(unsigned threads);
    // Waits for work that runs; what waits comes back undone.
    void end();

    // Takes a place in the queue. False: there is none.
    bool reserve();
    // Fills it. False: there is no memory; the place is given back, and the job still the caller's.
    bool submit(Job& job);
    // The connection is told, once, when there is room.
    void call_when_room(ConnectionId id, const std::shared_ptr<WayBack>& way);
    // If there is room and somebody waits for it: tells one of them.
    void pass_room_on();

    std::size_t waiting() const { return waiting_.load(); }
    std::size_t running() const { return running_.load(); }

private:
    void serve();
    void work_on(Job& job);

    const std::size_t waiting_max_;
    WorkQueue<Job> jobs_;
    WorkQueue<RoomCall> calls_;
    // A call is counted, then looks for room; a place is freed, then looks for calls. In one order
    // for all (seq_cst), so that one of the two sees the other.
    std::atomic<std::size_t> waiting_{0};
    std::atomic<std::size_t> callers_{0};
    std::atomic<std::size_t> running_{0};
    std::atomic<bool> is_ending_{false};
    std::vector<Thread> threads_;
};

}  // namespace berth::engine::offload
