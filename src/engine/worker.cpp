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
      close_listeners_(*this, &Worker::do_close_listeners),
      drain_(*this, &Worker::do_drain),
      force_(*this, &Worker::do_force),
      leave_(*this, &Worker::do_leave) {}

Worker::~Worker() { loop().timers().cancel(tick_); }

driver::Outcome<void> Worker::open(loop::DriverFactory& factory) {
    leaving_ = false;
    has_left_.store(false);
    failure_.store(0);
    table_.begin_run();
    return loop().open(factory);
}

void Worker::shut() {
    acceptors_.clear();
    listeners_open_.store(0);
    loop().timers().cancel(tick_);
    loop().shut();
}

void Worker::add_listener(driver::Descriptor socket, std::size_t listener) {
    const net::AcceptorSetup setup{
        .loop = loop(), .counters = table_.counters(), .limit = core_.limit(), .placement = *this};
    acceptors_.push_back(std::make_unique<net::Acceptor>(setup, socket, listener));
    listeners_open_.fetch_add(1);
}

// ── The worker's thread ──────────────────────────────────────────────────────────────────────

void Worker::begin() {
    const Core::Presence presence(core_);
    loop().claim_thread();
    table_.guarded_void(net::Callback::on_loop_start,
                        [this] { core_.handler().on_loop_start(*this); });
    tick();
    for (const auto& acceptor : acceptors_) acceptor->start();
}

bool Worker::step_prepared(Deadline deadline) {
    const Core::Presence presence(core_);
    const auto done = loop().iterate(deadline);
    if (!done) {
        failure_.store(done.errno_value());
        core_.request_stop(StopSource::Kind::loop_failure);
    }
    if (!leaving_ && !has_failed()) return true;
    end();
    return false;
}

// Connections are left only if the driver is broken, or would not let go of them in time.
void Worker::end() {
    table_.abandon_all(has_failed() ? CloseReason::io_error : CloseReason::stop_forced);
    table_.guarded_void(net::Callback::on_loop_stop,
                        [this] { core_.handler().on_loop_stop(*this); });
    loop().refuse_tasks();
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
void Worker::command(Command& command) { static_cast<void>(loop().post(command)); }

void Worker::do_close_listeners() {
    for (const auto& acceptor : acceptors_) acceptor->close();
}

void Worker::do_drain() { table_.begin_drain(core_.deadline()); }

void Worker::do_force() {
    if (!table_.is_stopping()) do_drain();
    do_close_listeners();
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

const Endpoint& Worker::listening_on(std::size_t index) const { return core_.listening_on(index); }

// ── net::Placement ───────────────────────────────────────────────────────────────────────────

void Worker::place(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) {
    if (!core_.hands_over(listener)) return table_.adopt(socket, peer, listener);
    Worker& target = core_.worker(next_worker_++ % core_.worker_count());
    if (&target == this) return table_.adopt(socket, peer, listener);
    target.hand_off(socket, peer, listener);
}

void Worker::hand_off(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) {
    HandOff* task = HandOff::make(*this, socket, peer, listener);
    if (!loop().post(*task)) task->cancel();
}

void Worker::listener_closed() {
    listeners_open_.fetch_sub(1);
    core_.progress();
}

}  // namespace berth::engine
