// SPDX-License-Identifier: MIT
//
// Worker: stepping, placing connections, obeying the coordinator.

#include "engine/worker.hpp"

#include "engine/core.hpp"
#include "engine/hand_off.hpp"
#include "engine/log_lines.hpp"
#include "engine/names/name_lookup.hpp"
#include "engine/offload/job_book.hpp"
#include "os/returns.hpp"

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
              .memory = core.memory(),
              .host = *this,
              .transports = core.transports()},
             core.system()),
      tick_(*this),
      balancer_(core),
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
    listeners_coming_.store(0);
    listeners_open_.store(0);
    listeners_loud_.store(0);
    listeners_armed_.store(0);
    loop().timers().cancel(tick_);
    table_.end_run();
    loop().shut();
    table_.timers().close();
    datagram_ports_.clear();  // after the loop, which has tasks of theirs
}

void Worker::add_listener(driver::Descriptor socket, std::size_t listener,
                          const net::Entrance& entrance) {
    listeners_open_.fetch_add(1);
    listeners_loud_.fetch_add(1);
    listeners_armed_.fetch_add(1);
    if (core_.listeners().endpoint(listener).is_datagram()) {
        return add_datagram_port(socket, listener, entrance);
    }
    const net::AcceptorSetup setup{.loop = loop(),
                                   .counters = table_.counters(),
                                   .limit = core_.limit(),
                                   .placement = *this,
                                   .entrance = &entrance};
    acceptors_.push_back(std::make_unique<net::Acceptor>(setup, socket, listener));
}

void Worker::add_datagram_port(driver::Descriptor socket, std::size_t listener,
                               const net::Entrance& entrance) {
    const bool has_first = core_.listeners().hears_many(listener, index_);
    const net::DatagramSetup setup{.table = table_,
                                   .owner = *this,
                                   .entrance = &entrance,
                                   .options = core_.listeners().datagrams(listener),
                                   .hears_many = has_first && datagram_port(listener) == nullptr};
    datagram_ports_.push_back(std::make_unique<net::DatagramPort>(setup, socket, listener));
}

// ── The worker's thread ──────────────────────────────────────────────────────────────────────

void Worker::begin() {
    loop().claim_thread();
    thread_.store(core_.system().thread_id(), std::memory_order_relaxed);
    settle_thread();
    for (const auto& port : datagram_ports_) port->start();  // first: on_loop_start may send
    table_.guarded_void(net::Callback::on_loop_start,
                        [this] { core_.handler().on_loop_start(*this); });
    tick();
    for (const auto& acceptor : acceptors_) acceptor->start();
}

// A name is for who looks; a place was asked for.
void Worker::settle_thread() {
    constexpr std::size_t kNameMax = 15;
    const std::string number = "-" + std::to_string(index_);
    const std::string& prefix = core_.options().thread_name;
    if (!prefix.empty()) {
        static_cast<void>(
            core_.system().name_thread(prefix.substr(0, kNameMax - number.size()) + number));
    }
    if (!core_.options().pin_loops) return;
    const auto pinned = core_.system().pin_thread(index_);
    if (pinned) return;
    const Error error = Error::from_errno("pin loop", pinned.errno_value());
    core_.log(LogLevel::warning, "loop " + std::to_string(index_) + ": " + error.to_string());
}

BERTH_RETURNS_BY_JUMP bool Worker::step_prepared(Deadline deadline) {
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
    for (const auto& port : datagram_ports_) {
        if (is_suspended_.load()) {
            port->suspend();
        } else {
            port->resume();
        }
    }
}

void Worker::do_close_listeners() { end_listeners(net::ListenerEnd::ours); }

void Worker::end_listeners(net::ListenerEnd end) {
    for (const auto& acceptor : acceptors_) acceptor->close(end);
    for (const auto& port : datagram_ports_) port->close(end);
}

void Worker::close_listener(std::size_t listener) {
    for (const auto& acceptor : acceptors_) {
        if (acceptor->listener() == listener) acceptor->close(net::ListenerEnd::ours);
    }
    for (const auto& port : datagram_ports_) {
        if (port->listener() == listener) port->close(net::ListenerEnd::ours);
    }
}

net::DatagramPort* Worker::datagram_port(std::size_t listener) {
    for (const auto& port : datagram_ports_) {
        if (port->listener() == listener && !port->is_closed()) return port.get();
    }
    return nullptr;
}

void Worker::welcome_listener(driver::Descriptor socket, std::size_t listener,
                              const net::Entrance& entrance) {
    add_listener(socket, listener, entrance);
    const auto begin = [this](auto& entry) {
        if (is_suspended_.load()) {
            entry.suspend();
        } else {
            entry.start();
        }
    };
    if (core_.listeners().endpoint(listener).is_connected()) {
        begin(*acceptors_.back());
    } else {
        begin(*datagram_ports_.back());
    }
    listeners_coming_.fetch_sub(1);
    core_.progress();
}

void Worker::lose_listener(std::size_t listener) {
    core_.listeners().shard_closed(listener);
    listeners_coming_.fetch_sub(1);
    core_.progress();
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

void Worker::place_left(std::size_t listener, const IpEndpoint& peer) {
    core_.admission().leave(listener, peer);
}

void Worker::session_left(std::size_t listener) { core_.listeners().remove_connection(listener); }

offload::JobBook& Worker::jobs() {
    if (!jobs_) jobs_ = std::make_unique<offload::JobBook>(*this);
    return *jobs_;
}

void Worker::busy_connection_gone(ConnectionId id) {
    if (jobs_) jobs_->forget(id);
}

void Worker::drain_progress() { core_.progress(); }

const Endpoint& Worker::listening_on(std::size_t index) const {
    return core_.listeners().endpoint(index);
}

void Worker::resolve(ConnectionId dial, NameQuery&& query) {
    NameLookup::begin(*this, dial, std::move(query));
}

// ── net::Placement ───────────────────────────────────────────────────────────────────────────

void Worker::place(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) {
    if (const auto refusal = refusal_of(peer, listener)) [[unlikely]] {
        log_refusal(*refusal, peer, listener);
        table_.expect();
        return table_.refuse(socket, peer, listener, *refusal);
    }
    Worker& target =
        core_.listeners().hands_over(listener) ? core_.worker(balancer_.choose(peer)) : *this;
    target.table_.expect();
    if (&target == this) return table_.adopt(socket, peer, listener);
    target.hand_off(socket, peer, listener);
}

std::optional<Refusal> Worker::refusal_of(const IpEndpoint& peer, std::size_t listener) {
    const bool is_late = is_stopping(core_.state()) && core_.listeners().refuses_late(listener);
    if (is_late) return Refusal::stopping;
    return core_.admission().admit(listener, peer, loop().now());
}

// One line per flood. A stop has lines of its own.
void Worker::log_refusal(Refusal refusal, const IpEndpoint& peer, std::size_t listener) {
    if (refusal == Refusal::stopping) return;
    if (!core_.admission().begins_burst(refusal, loop().now())) return;
    LogLine line("clients are refused");
    line.field("reason", to_string(refusal))
        .field("listener", core_.listeners().endpoint(listener).to_string());
    if (peer.family != 0) line.field("first", Endpoint(Scheme::tcp, peer).to_string());
    core_.log(LogLevel::warning, line.text());
}

void Worker::hand_off(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) {
    HandOff* task = HandOff::make(*this, socket, peer, listener);
    if (!loop().post(*task)) task->cancel();
}

void Worker::listener_changed(const net::Acceptor& changed) {
    if (changed.is_closed()) core_.listeners().shard_closed(changed.listener());
    count_listeners();
}

void Worker::count_listeners() {
    std::size_t open = 0;
    std::size_t loud = 0;
    std::size_t armed = 0;
    const auto count = [&](const auto& sockets) {
        for (const auto& socket : sockets) {
            open += socket->is_closed() ? 0 : 1;
            loud += socket->is_quiet() ? 0 : 1;
            armed += socket->is_quiet() || socket->is_suspended() ? 0 : 1;
        }
    };
    count(acceptors_);
    count(datagram_ports_);
    listeners_open_.store(open);
    listeners_loud_.store(loud);
    listeners_armed_.store(armed);
    core_.progress();
}

// ── net::DatagramOwner ───────────────────────────────────────────────────────────────────────

void Worker::port_changed(const net::DatagramPort& port) {
    if (port.is_closed()) core_.listeners().shard_closed(port.listener());
    count_listeners();
}

void Worker::datagrams_received(std::size_t listener, std::size_t count) {
    if (core_.stop_request().is_asked()) core_.listeners().count_late_datagrams(listener, count);
}

// LateAccept::refuse means the peers of sessions, too.
bool Worker::admits_session(std::size_t listener, const IpEndpoint& peer) {
    const bool is_late = is_stopping(core_.state()) && core_.listeners().refuses_late(listener);
    const std::size_t max = core_.listeners().datagrams(listener).sessions_max;
    if (!is_late && core_.listeners().add_connection(listener, max)) return true;
    const Refusal refusal = is_late ? Refusal::stopping : Refusal::listener_limit;
    table_.counters().refused[static_cast<std::size_t>(refusal)].add();
    log_refusal(refusal, peer, listener);
    return false;
}

}  // namespace berth::engine
