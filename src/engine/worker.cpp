// SPDX-License-Identifier: MIT
//
// Worker: stepping, placing connections, obeying the coordinator.

#include "engine/worker.hpp"

#include "engine/core.hpp"
#include "engine/hand_off.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace berth::engine {

Worker::Tick::Tick(Worker& owner)
    : Timer([](loop::Timer& timer) { static_cast<Tick&>(timer).worker.tick(); }), worker(owner) {}

Worker::Worker(Core& core, std::size_t index)
    : core_(core),
      index_(index),
      table_({.face = *this,
              .loop_index = index,
              .handler = core.handler(),
              .options = core.options(),
              .limit = core.limit(),
              .host = *this,
              .transports = core.transports()},
             core.system()),
      tick_(*this),
      listen_(*this, &Worker::do_listen),
      close_listeners_(*this, &Worker::do_close_listeners),
      drain_(*this, &Worker::do_drain),
      force_stalled_(*this, &Worker::do_force_stalled),
      force_(*this, &Worker::do_force),
      leave_(*this, &Worker::do_leave) {}

Worker::~Worker() { loop().timers().cancel(tick_); }

driver::Outcome<void> Worker::open(loop::DriverFactory& factory) {
    leaving_ = false;
    has_left_.store(false);
    failure_.store(0);
    was_told_to_drain_.store(false);
    is_suspended_.store(false);
    table_.begin_run();
    loop().set_busy_poll(core_.options().busy_poll);
    auto opened = loop().open(factory);
    if (opened) table_.timers().open();
    return opened;
}

void Worker::shut() {
    acceptors_.clear();
    listeners_open_.store(0);
    listeners_armed_.store(0);
    loop().timers().cancel(tick_);
    loop().shut();
    table_.timers().close();
}

void Worker::add_listener(driver::Descriptor socket, std::size_t listener,
                          const net::Entrance& entrance) {
    const net::AcceptorSetup setup{.loop = loop(),
                                   .counters = table_.counters(),
                                   .limit = core_.limit(),
                                   .placement = *this,
                                   .entrance = &entrance};
    acceptors_.push_back(std::make_unique<net::Acceptor>(setup, socket, listener));
    listeners_open_.fetch_add(1);
    listeners_armed_.fetch_add(1);
}

// ── The worker's thread ──────────────────────────────────────────────────────────────────────

void Worker::begin() {
    loop().claim_thread();
    thread_.store(core_.system().thread_id(), std::memory_order_relaxed);
    table_.guarded_void(net::Callback::on_loop_start,
                        [this] { core_.handler().on_loop_start(*this); });
    tick();
    for (const auto& acceptor : acceptors_) acceptor->start();
}

bool Worker::step_prepared(Deadline deadline) {
    const auto done = loop().iterate(deadline);
    if (done.has_value() && !leaving_) [[likely]]
        return true;
    if (!done) {
        failure_.store(done.errno_value());
        core_.request_stop(StopSource::Kind::loop_failure);
    }
    end();
    return false;
}

// Connections are left only if the driver is broken, or would not let go of them in time.
void Worker::end() {
    table_.abandon_all(has_failed() ? CloseReason::io_error : CloseReason::stop_forced);
    table_.guarded_void(net::Callback::on_loop_stop,
                        [this] { core_.handler().on_loop_stop(*this); });
    loop().refuse_tasks();
    table_.timers().close();
    table_.on_batch_end();
    has_left_.store(true);
    core_.progress();
}

void Worker::tick() {
    const auto next =
        table_.guarded(net::Callback::on_tick, [this] { return core_.handler().on_tick(*this); });
    if (!next || *next == kNever) return;
    loop().timers().arm(tick_, loop().now() + std::max(*next, Duration::zero()));
}

// ── Commands ─────────────────────────────────────────────────────────────────────────────────

// Refused only by a worker that has left.
void Worker::command(Command& command) {
    if (command.claim() && !loop().post(command)) command.cancel();
}

// The last word counts, however many there were before the loop came round.
void Worker::do_listen() {
    for (const auto& acceptor : acceptors_) {
        if (is_suspended_.load()) {
            acceptor->suspend();
        } else {
            acceptor->resume();
        }
    }
}

void Worker::do_close_listeners() { end_listeners(net::ListenerEnd::ours); }

void Worker::end_listeners(net::ListenerEnd end) {
    for (const auto& acceptor : acceptors_) acceptor->close(end);
}

void Worker::close_listener(std::size_t listener) {
    for (const auto& acceptor : acceptors_) {
        if (acceptor->listener() == listener) acceptor->close(net::ListenerEnd::ours);
    }
}

void Worker::do_drain() {
    table_.begin_drain(core_.deadline());
    was_told_to_drain_.store(true);
    core_.progress();
}

void Worker::do_force_stalled() {
    if (table_.force_stalled()) command(force_stalled_);
}

void Worker::do_force() {
    if (!table_.is_stopping()) do_drain();
    end_listeners(net::ListenerEnd::forced);
    table_.force_all();
}

// ── net::Host ────────────────────────────────────────────────────────────────────────────────

void Worker::stop_requested_by_handler() { core_.request_stop(StopSource::Kind::handler); }

void Worker::handler_threw(net::Callback callback, std::string_view what) {
    core_.log(LogLevel::error, "handler " + std::string(net::to_string(callback)) +
                                   " threw on loop " + std::to_string(index_) + ": " +
                                   std::string(what));
}

void Worker::connection_reaped() {
    for (const auto& acceptor : acceptors_) acceptor->try_again();
    core_.connection_gone();
}

void Worker::drain_progress() { core_.progress(); }

const Endpoint& Worker::listening_on(std::size_t index) const {
    return core_.listeners().endpoint(index);
}

// ── net::Placement ───────────────────────────────────────────────────────────────────────────

void Worker::place(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) {
    if (is_stopping(core_.state()) && core_.listeners().refuses_late(listener)) {
        return table_.refuse(socket, peer, listener);
    }
    if (!core_.listeners().hands_over(listener)) return table_.adopt(socket, peer, listener);
    Worker& target = core_.worker(next_worker_++ % core_.worker_count());
    if (&target == this) return table_.adopt(socket, peer, listener);
    target.hand_off(socket, peer, listener);
}

void Worker::hand_off(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) {
    HandOff* task = HandOff::make(*this, socket, peer, listener);
    if (!loop().post(*task)) task->cancel();
}

void Worker::listener_changed(const net::Acceptor& changed) {
    if (changed.is_closed()) core_.listeners().shard_closed(changed.listener());
    std::size_t open = 0;
    std::size_t armed = 0;
    for (const auto& acceptor : acceptors_) {
        if (acceptor->is_closed()) continue;
        ++open;
        if (!acceptor->is_suspended()) ++armed;
    }
    listeners_open_.store(open);
    listeners_armed_.store(armed);
    core_.progress();
}

}  // namespace berth::engine
