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
using Plan = net::TimerTable::Plan;

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
        if (connection.write(buffer.share()) < WriteStatus::refused) ++taken;
    });
    return taken;
}

std::size_t EventLoop::connection_count() const {
    return const_cast<Worker&>(Worker::of(*this)).table().open_count();
}

Result<ConnectionId> EventLoop::connect(const Destination& to, Deadline deadline) {
    return connect(to, DialOptions{.deadline = deadline});
}

Result<ConnectionId> EventLoop::connect(const Destination& to, DialOptions options) {
    return on_its_thread(*this).table().connect(to, std::move(options));
}

Result<ConnectionId> EventLoop::adopt(int descriptor, Context context) {
    return on_its_thread(*this).table().take_over(driver::Descriptor{descriptor},
                                                  std::move(context));
}

bool EventLoop::send_to(std::size_t listener, const Endpoint& to, Bytes bytes) {
    net::DatagramPort* port = on_its_thread(*this).datagram_port(listener);
    if (port == nullptr) return engine().send_to(listener, to, Buffer::copy_of(bytes));
    return port->send_to(to, bytes);
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

TimerId EventLoop::schedule_after(Duration delay, UniqueFunction<void(EventLoop&)> task) {
    net::ConnectionTable& table = on_its_thread(*this).table();
    return table.timers().schedule(Plan::after(table.loop().now(), delay), std::move(task));
}

TimerId EventLoop::schedule_every(Duration period, UniqueFunction<void(EventLoop&)> task) {
    net::ConnectionTable& table = on_its_thread(*this).table();
    return table.timers().schedule(Plan::every(table.loop().now(), period), std::move(task));
}

bool EventLoop::cancel(TimerId id) { return on_its_thread(*this).table().timers().cancel(id); }

TimerId EventLoop::post_after(Duration delay, UniqueFunction<void(EventLoop&)> task) {
    net::ConnectionTable& table = Worker::of(*this).table();
    return table.timers().post(Plan::after(table.system().now(), delay), std::move(task));
}

TimerId EventLoop::post_every(Duration period, UniqueFunction<void(EventLoop&)> task) {
    net::ConnectionTable& table = Worker::of(*this).table();
    return table.timers().post(Plan::every(table.system().now(), period), std::move(task));
}

bool EventLoop::post_cancel(TimerId id) {
    return Worker::of(*this).table().timers().post_cancel(id);
}

bool EventLoop::post(UniqueFunction<void(EventLoop&)> task) {
    return engine::LoopTask::send(Worker::of(*this), std::move(task));
}

}  // namespace berth
