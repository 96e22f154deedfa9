// SPDX-License-Identifier: MIT
//
// Engine: the public face of a Core and its Runner.

#include <berth/engine.hpp>

#include "base/reader_gate.hpp"
#include "engine/connection_task.hpp"
#include "engine/datagram_task.hpp"
#include "engine/dial_task.hpp"
#include "engine/engine_core.hpp"
#include "engine/loop_task.hpp"

#include <array>
#include <utility>

namespace berth {

using engine::ConnectionTask;
using engine::StopSource;

bool Engine::Core::send(ConnectionTask::Call&& call, Completion&& done) {
    const std::size_t loop = call.id.loop();
    if (!call.id || !engine::is_running(state()) || loop >= worker_count()) return false;
    return ConnectionTask::send(worker(loop), std::move(call), std::move(done));
}

bool Engine::Core::change_group(std::size_t listener, MulticastGroup&& group,
                                GroupCompletion&& done, GroupChange change) {
    if (!engine::is_running(state()) || listener >= listeners().size()) return false;
    if (listeners().is_closed(listener) || !listeners().endpoint(listener).is_udp()) return false;
    const auto task = [listener, change](EventLoop& loop, const MulticastGroup& asked) {
        net::DatagramPort* const port = engine::Worker::of(loop).datagram_port(listener);
        if (port != nullptr) return (port->*change)(asked);
        return Result<void>(fail(
            Error(ErrorCode::not_running, "multicast group").because("the listener is closed")));
    };
    return engine::LoopTask::send(
        worker(listeners().loop_for(listener, 0)),
        [task, group = std::move(group), done = std::move(done)](EventLoop& loop) mutable {
            Result<void> answer = task(loop, group);
            if (done) done(std::move(answer));
        });
}

Engine::Engine(EventHandler& handler, const Options& options)
    : Engine(handler, options, engine::kernel_environment()) {}

Engine::Engine(EventHandler& handler, const Options& options,
               std::unique_ptr<engine::Environment> environment)
    : core_(std::make_unique<Core>(*this, handler, options, std::move(environment))) {}

Engine::~Engine() {
    if (engine::is_running(state())) {
        request_stop();
        core_->wait_until_ended();
    }
    core_->runner.join();
    // A handler that never returned may yet, and look at its engine: that memory is kept.
    if (core_->has_stuck_workers()) [[maybe_unused]]
        const Core* const kept = core_.release();
}

// ── Lifecycle ────────────────────────────────────────────────────────────────────────────────

Result<void> Engine::start(std::span<const std::string> addresses) {
    return core_->runner.start(addresses);
}

Result<void> Engine::start(std::string_view address) {
    const std::array one{std::string(address)};
    return start(one);
}

Result<void> Engine::start() { return start(std::span<const std::string>()); }

Result<StopReport> Engine::run(std::span<const std::string> addresses) {
    return engine::EngineAccess::run(*this, addresses, {});
}

Result<StopReport> engine::EngineAccess::run(Engine& engine, std::span<const std::string> addresses,
                                             RunPlan plan) {
    Engine::Core& core = *engine.core_;
    core.inherit(std::move(plan.inherited));
    core.keep_listeners(plan.keeps_listeners);
    auto ran = core.runner.run(addresses, plan.attendants);
    if (!ran) return fail(std::move(ran.error()));
    return core.coordinator().report();
}

void Engine::request_stop() { core_->request_stop(StopSource::Kind::api); }
void Engine::request_stop(Deadline deadline) {
    core_->request_stop(StopSource::Kind::api, deadline);
}

Result<StopReport> Engine::wait() {
    if (state() == EngineState::idle || state() == EngineState::failed) {
        return fail(Error(ErrorCode::not_running, "wait").because("the engine was not started"));
    }
    if (core_->is_present_here()) {
        return fail(Error(ErrorCode::would_deadlock, "wait")
                        .because("this thread belongs to the engine that would be waited for")
                        .fix("call request_stop(), and read the report in on_shutdown"));
    }
    core_->wait_until_ended();
    return core_->coordinator().report();
}

Result<StopReport> Engine::stop() {
    request_stop();
    return wait();
}

void Engine::suspend() { core_->want_suspension(true); }
void Engine::resume() { core_->want_suspension(false); }

Result<std::size_t> Engine::add_listener(std::string_view address) {
    return core_->add_listener(address, core_->options().datagrams);
}

Result<std::size_t> Engine::add_listener(std::string_view address, const DatagramOptions& options) {
    const auto endpoint = Endpoint::parse(address);
    if (endpoint && !endpoint->is_udp()) {
        return fail(Error(ErrorCode::invalid_option, "add_listener")
                        .at(std::string(address))
                        .because("DatagramOptions are for udp listeners")
                        .fix("leave them out, or listen on udp://"));
    }
    return core_->add_listener(address, options);
}

bool Engine::close_listener(std::size_t index, Deadline deadline) {
    return core_->request_close(index, deadline);
}
bool Engine::close_listener(std::size_t index) {
    return close_listener(index, now() + core_->options().drain);
}

EngineState Engine::state() const { return core_->state(); }
bool Engine::is_ready() const {
    return state() == EngineState::ready && !core_->stop_request().is_asked();
}
Instant Engine::now() const { return core_->system().now(); }

Result<void> Engine::restart(std::span<const std::string> command) {
    return core_->runner.restart(command);
}

// ── What it serves ───────────────────────────────────────────────────────────────────────────

std::vector<Endpoint> Engine::endpoints() const {
    const base::ReaderGate::Visit visit(core_->endpoints_gate());
    return visit.is_inside() ? core_->listeners().endpoints() : std::vector<Endpoint>{};
}
std::string Engine::driver_description() const { return core_->driver_description(); }
std::size_t Engine::loop_count() const { return core_->worker_count(); }
EventLoop& Engine::loop(std::size_t index) { return core_->worker(index); }
std::size_t Engine::connection_count() const { return core_->limit().count(); }

// ── Connections, by id ───────────────────────────────────────────────────────────────────────

bool Engine::post(ConnectionId id, UniqueFunction<void(Connection&)> task, Completion done) {
    return core_->send({.kind = ConnectionTask::Kind::post, .id = id, .task = std::move(task)},
                       std::move(done));
}

bool Engine::write(ConnectionId id, Buffer bytes, Completion done) {
    return core_->send({.kind = ConnectionTask::Kind::write, .id = id, .bytes = std::move(bytes)},
                       std::move(done));
}

bool Engine::write(ConnectionId id, std::string_view text, Completion done) {
    return write(id, Buffer::copy_of(text), std::move(done));
}

bool Engine::wake(ConnectionId id, Completion done) {
    return core_->send({.kind = ConnectionTask::Kind::wake, .id = id}, std::move(done));
}

bool Engine::close(ConnectionId id, CloseMode mode, Completion done) {
    return core_->send({.kind = ConnectionTask::Kind::close, .id = id, .mode = mode},
                       std::move(done));
}

bool Engine::connect(const Destination& to, DialOptions options) {
    if (!engine::is_running(state()) || loop_count() == 0) return false;
    if (options.loop == DialOptions::kAnyLoop) options.loop = core_->next_dialler();
    if (options.loop >= loop_count()) return false;
    return engine::DialTask::send(core_->worker(options.loop), to, std::move(options));
}

// ── Datagrams ────────────────────────────────────────────────────────────────────────────────

bool Engine::send_to(std::size_t listener, const Endpoint& to, Buffer bytes) {
    const engine::Listeners& listeners = core_->listeners();
    if (!engine::is_running(state())) return false;
    if (listener >= listeners.size() || listeners.is_closed(listener)) return false;
    const Endpoint& from = listeners.endpoint(listener);
    const bool is_reached =
        from.is_unix() ? to.is_unix() && !to.name().empty() : to.ip().family != 0;
    if (!from.is_datagram() || !is_reached) return false;
    if (bytes.size() > net::DatagramOutbox::kPayloadMax) return false;
    engine::Worker& worker = core_->worker(listeners.loop_for(listener, to.port()));
    return engine::DatagramTask::send(worker,
                                      {.listener = listener, .to = to, .bytes = std::move(bytes)});
}

bool Engine::join_group(std::size_t listener, MulticastGroup group, GroupCompletion done) {
    return core_->change_group(listener, std::move(group), std::move(done),
                               &net::DatagramPort::join);
}

bool Engine::leave_group(std::size_t listener, MulticastGroup group, GroupCompletion done) {
    return core_->change_group(listener, std::move(group), std::move(done),
                               &net::DatagramPort::leave);
}

}  // namespace berth
