// SPDX-License-Identifier: MIT
//
// EventLoop: the public face of a Worker.

#include <berth/event_loop.hpp>

#include "base/assert.hpp"
#include "engine/core.hpp"
#include "engine/loop_task.hpp"
#include "engine/worker.hpp"

#include <utility>

namespace berth {

using engine::Worker;

namespace {

// The worker behind the face, for calls that are for its thread only.
Worker& on_its_thread(EventLoop& loop) {
    Worker& worker = Worker::of(loop);
    BERTH_DEBUG_ASSERT(worker.loop().is_on_its_thread(),
                       "an EventLoop is used on its own thread only");
    return worker;
}

}  // namespace

Engine& EventLoop::engine() const { return Worker::of(*this).core().face(); }
std::size_t EventLoop::index() const { return Worker::of(*this).index(); }
Instant EventLoop::now() const { return const_cast<Worker&>(Worker::of(*this)).loop().now(); }

Connection* EventLoop::find(ConnectionId id) { return on_its_thread(*this).table().find(id); }

void EventLoop::for_each(UniqueFunction<void(Connection&)> visit) {
    on_its_thread(*this).table().for_each_open(
        [&](net::ConnectionCore& connection) { visit(connection); });
}

std::size_t EventLoop::broadcast(const Buffer& buffer) {
    std::size_t taken = 0;
    on_its_thread(*this).table().for_each_open([&](net::ConnectionCore& connection) {
        if (connection.write(buffer.share()) != WriteStatus::refused) ++taken;
    });
    return taken;
}

std::size_t EventLoop::connection_count() const {
    return const_cast<Worker&>(Worker::of(*this)).table().open_count();
}

Result<ConnectionId> EventLoop::connect(const Endpoint& endpoint, Deadline deadline) {
    return on_its_thread(*this).table().connect(endpoint, deadline);
}

bool EventLoop::post(UniqueFunction<void(EventLoop&)> task) {
    return engine::LoopTask::send(Worker::of(*this), std::move(task));
}

}  // namespace berth
