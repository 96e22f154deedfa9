// SPDX-License-Identifier: MIT
//
// Listeners: opening, giving to the loops, ending one by one.

#include "engine/listeners.hpp"

#include "engine/core.hpp"
#include "engine/loop_task.hpp"
#include "engine/new_listener.hpp"

#include <algorithm>
#include <utility>

namespace berth::engine {

namespace {

// What no loop has answered yet.
constexpr std::size_t kUnknown = static_cast<std::size_t>(-1);

}  // namespace

// ── Opening ──────────────────────────────────────────────────────────────────────────────────

Result<void> Listeners::open(std::span<const std::string> addresses,
                             std::span<const InheritedSocket> inherited) {
    states_.clear();
    assigned_ = 0;
    std::vector<Endpoint> asked;
    for (const std::string& address : addresses) {
        auto endpoint = Endpoint::parse(address);
        if (!endpoint) return fail(std::move(endpoint.error()));
        asked.push_back(std::move(*endpoint));
    }
    const auto plan = plan_addresses(asked, inherited);
    if (!plan) return fail(plan.error());
    for (const AddressPlan& address : *plan) {
        const bool is_shared = !address.sockets.empty() || core_.keeps_listeners();
        auto added = add(address, is_shared, core_.options().datagrams);
        if (!added) return fail(std::move(added.error()));
    }
    return {};
}

Result<std::size_t> Listeners::add_while_running(std::string_view address,
                                                 const DatagramOptions& datagrams) {
    auto endpoint = Endpoint::parse(address);
    if (!endpoint) return fail(std::move(endpoint.error()));
    return add({.asked = std::move(*endpoint), .sockets = {}}, false, datagrams);
}

Result<std::size_t> Listeners::add(const AddressPlan& address, bool is_shared,
                                   const DatagramOptions& datagrams) {
    const net::ListenPlan plan = plan_of(address.asked, datagrams);
    auto opened = address.sockets.empty()
                      ? net::Listening::open(core_.system(), address.asked, plan)
                      : net::Listening::adopt(core_.system(), address.asked, address.sockets, plan);
    if (!opened) return fail(std::move(opened.error()));
    auto state = std::make_shared<State>(std::move(*opened), core_.options().loops, datagrams);
    state->shards_open.store(state->listening->shard_count());
    const std::size_t shards = state->listening->shard_count();
    state->all_loops = core_.options().loops;
    state->first_loop = shards > 1 ? 0 : states_.size() % state->all_loops;
    state->loops = std::min(shards, state->all_loops);
    state->listening->share(is_shared);
    state->is_shared = is_shared;
    if (const auto place = states_.append(std::move(state))) return *place;
    return fail(Error(ErrorCode::invalid_option, "listen")
                    .at(address.asked.to_string())
                    .because("the engine has as many listeners as it can have"));
}

net::ListenPlan Listeners::plan_of(const Endpoint& endpoint,
                                   const DatagramOptions& datagrams) const {
    return {.shards = shards_of(endpoint),
            .backlog = core_.options().backlog,
            .settings = net::settings_of(core_.options()),
            .shares_port = core_.options().share_port && !endpoint.is_unix(),
            .unix_mode = core_.options().unix_mode,
            .device = core_.options().device,
            .datagrams = datagrams};
}

std::size_t Listeners::shards_of(const Endpoint& endpoint) const {
    const bool sharded = core_.options().balance == Balance::sharded && !endpoint.is_unix();
    return sharded ? core_.options().loops : 1;
}

std::vector<Endpoint> Listeners::endpoints() const {
    std::vector<Endpoint> found;
    found.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) found.push_back(endpoint(i));
    return found;
}

void Listeners::assign() {
    for (; assigned_ < size(); ++assigned_) assign(assigned_, Loops::wait);
}

bool Listeners::assign_added() {
    const std::size_t before = assigned_;
    for (; assigned_ < size(); ++assigned_) {
        core_.handover().note_added();
        assign(assigned_, Loops::run);
        core_.log(LogLevel::info, "listener " + endpoint(assigned_).to_string() + " added");
    }
    return assigned_ != before;
}

void Listeners::assign(std::size_t listener, Loops loops) {
    const std::size_t workers = core_.worker_count();
    net::Listening& listening = *states_[listener].listening;
    const std::size_t shards = listening.shard_count();
    states_[listener].hands_over = shards < workers;
    for (std::size_t shard = 0; shard < shards; ++shard) {
        Worker& worker = core_.worker((shards > 1 ? shard : listener) % workers);
        const driver::Descriptor socket = listening.take_socket(shard);
        if (loops == Loops::wait) {
            worker.add_listener(socket, listener, listening.entrance());
        } else {
            worker.expect_listener();
            NewListener::send(worker, socket, listener, listening.entrance());
        }
    }
}

void Listeners::share(std::size_t listener, bool is_shared) {
    states_[listener].listening->share(is_shared);
    states_[listener].is_shared = is_shared;
}

void Listeners::release(bool loops_have_left) {
    for (std::size_t i = 0; i < size(); ++i) {
        State& state = states_[i];
        if (!state.listening) continue;
        state.listening->release_path();
        if (!loops_have_left) continue;
        state.listening.reset();
        state.shards_open.store(0);
    }
}

void Listeners::note_inodes(std::size_t listener) {
    states_[listener].inodes = states_[listener].listening->inodes();
}

std::vector<driver::Descriptor> Listeners::sockets() const {
    std::vector<driver::Descriptor> sockets;
    for (std::size_t i = 0; i < size(); ++i) {
        const auto& listening = states_[i].listening;
        for (std::size_t shard = 0; listening && shard < listening->shard_count(); ++shard) {
            sockets.push_back(listening->descriptor(shard));
        }
    }
    return sockets;
}

bool Listeners::add_connection(std::size_t listener, std::size_t max) {
    std::atomic<std::size_t>& connections = states_[listener].connections;
    if (connections.fetch_add(1) < max) return true;
    connections.fetch_sub(1);
    return false;
}

// ── Late clients ─────────────────────────────────────────────────────────────────────────────

bool Listeners::refuses_late(std::size_t listener) {
    State& state = states_[listener];
    state.accepted_late.fetch_add(1);
    const bool refuses = core_.options().late_accept == LateAccept::refuse &&
                         core_.state() != EngineState::lame_duck;
    if (refuses) state.refused.fetch_add(1);
    return refuses;
}

void Listeners::count_late(std::size_t listener, ListenerReport& into) const {
    into.accepted_after_stop = states_[listener].accepted_late.load();
    into.refused = states_[listener].refused.load();
    into.datagrams_after_stop = states_[listener].datagrams_late.load();
}

// ── One listener alone ───────────────────────────────────────────────────────────────────────

bool Listeners::request_close(std::size_t listener, Deadline deadline) {
    if (listener >= states_.size() || is_closed(listener)) return false;
    std::int64_t not_asked = State::kNotAsked;
    return states_[listener].close_by.compare_exchange_strong(not_asked,
                                                              deadline.since_epoch.count());
}

std::optional<Deadline> Listeners::take_close_request(std::size_t listener) {
    const std::int64_t by = states_[listener].close_by.load();
    if (by == State::kNotAsked) return {};
    return Deadline{Duration(by)};
}

void Listeners::close_sockets(std::size_t listener) {
    states_[listener].is_closing = true;
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        LoopTask::send(core_.worker(i),
                       [listener](EventLoop& loop) { Worker::of(loop).close_listener(listener); });
    }
}

void Listeners::drain(std::size_t listener, Deadline deadline) {
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        const auto state = states_.shared(listener);
        state->counts[i].store(kUnknown);
        LoopTask::send(core_.worker(i), [listener, deadline](EventLoop& loop) {
            Worker::of(loop).table().begin_drain_of(listener, deadline);
        });
    }
}

void Listeners::force(std::size_t listener) {
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        LoopTask::send(core_.worker(i), [listener](EventLoop& loop) {
            Worker::of(loop).table().force_of(listener);
        });
    }
}

std::size_t Listeners::count(std::size_t listener) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        const std::size_t known = states_[listener].counts[i].load();
        if (known != 0) ask_for_count(listener, i);
        sum += known == kUnknown ? 1 : known;
    }
    return sum;
}

void Listeners::ask_for_count(std::size_t listener, std::size_t loop) {
    const auto state = states_.shared(listener);
    const bool is_asked =
        LoopTask::send(core_.worker(loop), [this, state, listener, loop](EventLoop& here) {
            const std::size_t left = Worker::of(here).table().count_of(listener);
            state->counts[loop].store(left);
            if (left == 0) core_.progress();
        });
    if (!is_asked) state->counts[loop].store(0);  // it has left
}

}  // namespace berth::engine
