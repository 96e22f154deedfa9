// SPDX-License-Identifier: MIT
//
// Listeners: opening, giving to the loops, ending one by one.

#include "engine/listeners.hpp"

#include "engine/core.hpp"
#include "engine/loop_task.hpp"

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
    listenings_.clear();
    endpoints_.clear();
    states_.clear();
    std::vector<Endpoint> asked;
    for (const std::string& address : addresses) {
        auto endpoint = Endpoint::parse(address);
        if (!endpoint) return fail(std::move(endpoint.error()));
        asked.push_back(std::move(*endpoint));
    }
    const auto plan = plan_addresses(asked, inherited);
    if (!plan) return fail(plan.error());
    for (const AddressPlan& address : *plan) {
        if (auto added = add(address); !added) return added;
    }
    return {};
}

Result<void> Listeners::add(const AddressPlan& address) {
    const net::ListenPlan plan = plan_of(address.asked);
    auto opened = address.sockets.empty()
                      ? net::Listening::open(core_.system(), address.asked, plan)
                      : net::Listening::adopt(core_.system(), address.asked, address.sockets, plan);
    if (!opened) return fail(std::move(opened.error()));
    endpoints_.push_back(opened->endpoint());
    listenings_.push_back(std::move(*opened));
    states_.push_back(std::make_shared<State>(core_.options().loops));
    share(states_.size() - 1, !address.sockets.empty() || core_.keeps_listeners());
    return {};
}

net::ListenPlan Listeners::plan_of(const Endpoint& endpoint) const {
    return {.shards = shards_of(endpoint),
            .backlog = core_.options().backlog,
            .no_delay = core_.options().no_delay,
            .not_sent_max = core_.options().not_sent_max};
}

std::size_t Listeners::shards_of(const Endpoint& endpoint) const {
    const bool sharded = core_.options().balance == Balance::sharded && !endpoint.is_unix();
    return sharded ? core_.options().loops : 1;
}

void Listeners::assign() {
    const std::size_t loops = core_.worker_count();
    for (std::size_t index = 0; index < listenings_.size(); ++index) {
        net::Listening& listening = listenings_[index];
        const std::size_t shards = listening.shard_count();
        states_[index]->shards_open.store(shards);
        states_[index]->hands_over = shards < loops;
        for (std::size_t shard = 0; shard < shards; ++shard) {
            const std::size_t loop = (shards > 1 ? shard : index) % loops;
            core_.worker(loop).add_listener(listening.take_socket(shard), index,
                                            listening.entrance());
        }
    }
}

void Listeners::share(std::size_t listener, bool is_shared) {
    listenings_[listener].share(is_shared);
    states_[listener]->is_shared = is_shared;
}

void Listeners::release(bool loops_have_left) {
    for (net::Listening& listening : listenings_) listening.release_path();
    if (loops_have_left) listenings_.clear();
}

void Listeners::note_inodes(std::size_t listener) {
    states_[listener]->inodes = listenings_[listener].inodes();
}

std::vector<driver::Descriptor> Listeners::sockets() const {
    std::vector<driver::Descriptor> sockets;
    for (const net::Listening& listening : listenings_) {
        for (std::size_t shard = 0; shard < listening.shard_count(); ++shard) {
            sockets.push_back(listening.descriptor(shard));
        }
    }
    return sockets;
}

// ── Late clients ─────────────────────────────────────────────────────────────────────────────

bool Listeners::refuses_late(std::size_t listener) {
    State& state = *states_[listener];
    state.accepted_late.fetch_add(1);
    const bool refuses = core_.options().late_accept == LateAccept::refuse &&
                         core_.state() != EngineState::lame_duck;
    if (refuses) state.refused.fetch_add(1);
    return refuses;
}

void Listeners::count_late(std::size_t listener, ListenerReport& into) const {
    into.accepted_after_stop = states_[listener]->accepted_late.load();
    into.refused = states_[listener]->refused.load();
}

// ── One listener alone ───────────────────────────────────────────────────────────────────────

bool Listeners::request_close(std::size_t listener, Deadline deadline) {
    if (listener >= states_.size() || is_closed(listener)) return false;
    std::int64_t not_asked = State::kNotAsked;
    return states_[listener]->close_by.compare_exchange_strong(not_asked,
                                                               deadline.since_epoch.count());
}

std::optional<Deadline> Listeners::take_close_request(std::size_t listener) {
    const std::int64_t by = states_[listener]->close_by.load();
    if (by == State::kNotAsked) return {};
    return Deadline{Duration(by)};
}

void Listeners::close_sockets(std::size_t listener) {
    states_[listener]->is_closing = true;
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        LoopTask::send(core_.worker(i),
                       [listener](EventLoop& loop) { Worker::of(loop).close_listener(listener); });
    }
}

void Listeners::drain(std::size_t listener, Deadline deadline) {
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        const auto state = states_[listener];
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
        const std::size_t known = states_[listener]->counts[i].load();
        if (known != 0) ask_for_count(listener, i);
        sum += known == kUnknown ? 1 : known;
    }
    return sum;
}

void Listeners::ask_for_count(std::size_t listener, std::size_t loop) {
    const auto state = states_[listener];
    const bool is_asked =
        LoopTask::send(core_.worker(loop), [this, state, listener, loop](EventLoop& here) {
            const std::size_t left = Worker::of(here).table().count_of(listener);
            state->counts[loop].store(left);
            if (left == 0) core_.progress();
        });
    if (!is_asked) state->counts[loop].store(0);  // it has left
}

}  // namespace berth::engine
