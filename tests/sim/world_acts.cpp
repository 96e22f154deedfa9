// SPDX-License-Identifier: MIT
//
// World: performing acts.

#include "sim/world.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace berth::simulation {

using driver::sim::Family;
using driver::sim::Kind;
using driver::sim::Process;

namespace {

constexpr const char* kNobody = "tcp://127.0.0.1:6998";
constexpr const char* kDeaf = "tcp://127.0.0.1:6999";

Endpoint parsed(const std::string& address) { return *Endpoint::parse(address); }

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

}  // namespace

void World::perform(const Act& act) {
    findings_.trace(kernel_.now(), [&] { return "act " + to_string(act); });
    std::visit(Overloaded{[&](const ConnectPeer&) { connect(act); },
                          [&](const auto& what) {
                              if (!is_put_off(act, what)) perform(what);
                          }},
               act.what);
}

// Those that may come at any moment wait for it, once.
template <class Plan>
bool World::is_put_off(const Act& act, const Plan& plan) {
    if constexpr (requires { plan.mid_call; }) {
        if (plan.mid_call == 0 || std::exchange(was_put_off_[act.index], true)) return false;
        mid_calls_.push_back({.calls_left = plan.mid_call, .act = &act});
        return true;
    }
    return false;
}

// ── Engines ──────────────────────────────────────────────────────────────────────────────────

House::Holder World::holder_of(const std::string& address, const House* but) const {
    auto holder = strangers_.contains(address) ? House::Holder::other : House::Holder::nobody;
    for (const auto& house : houses_) {
        if (house.get() != but) holder = std::max(holder, house->holds(address));
    }
    return holder;
}

void World::perform(const StartEngine& start) {
    House& house = *houses_[start.engine];
    auto holder = House::Holder::nobody;
    for (const Address& address : house.plan().addresses) {
        holder = std::max(holder, holder_of(address.listen, &house));
    }
    house.start(start, holder);
}

void World::perform(const StopEngine& stop) {
    Engine& engine = houses_[stop.engine]->engine().engine();
    if (stop.deadline) {
        engine.request_stop(kernel_.now() + *stop.deadline);
    } else {
        engine.request_stop();
    }
}

void World::perform(const LimitDescriptors& limit) { houses_[limit.engine]->limit(limit.room); }

void World::perform(const SuspendEngine& suspend) {
    Engine& engine = houses_[suspend.engine]->engine().engine();
    if (suspend.resumes) return engine.resume();
    engine.suspend();
}

void World::perform(const CloseListener& close) {
    House& house = *houses_[close.engine];
    if (!house.engine().is_running()) return;
    calls_.expect_cancelling(house.number());
    house.close_listener(close.address, kernel_.now() + close.patience);
}

// ── Peers and strangers ──────────────────────────────────────────────────────────────────────

void World::connect(const Act& act) {
    const PeerPlan& plan = std::get<ConnectPeer>(act.what).plan;
    const Address& address = schedule_.engines[plan.engine].addresses[plan.address];
    const House& house = *houses_[plan.engine];
    peers_.push_back(std::make_unique<Peer>(
        kernel_, findings_, links_,
        Peer::Origin{.act = act, .server = parsed(address.dial), .run = house.run()}));
}

const Peer* World::peer_of(std::size_t act) const {
    const auto found = std::ranges::find(peers_, act, &Peer::act);
    return found == peers_.end() ? nullptr : found->get();
}

void World::perform(const Occupy& occupy) {
    House& house = *houses_[occupy.engine];
    const std::string& address = house.plan().addresses[occupy.address].listen;
    if (occupy.leaves) {
        strangers_.erase(address);
        return;
    }
    if (strangers_.contains(address)) return;
    const bool is_held = holder_of(address, nullptr) == House::Holder::other;
    auto stranger = listen(address);
    if (stranger && is_held) findings_.violated("address-not-exclusive", address);
    if (stranger == nullptr) return;
    were_strangers_.insert(address);
    strangers_[address] = std::move(stranger);
}

// A process that listens there and never accepts; null if it may not.
std::unique_ptr<Process> World::listen(const std::string& address) {
    auto process = std::make_unique<Process>(kernel_);
    driver::sim::SimSystem system(*process);
    const Endpoint endpoint = parsed(address);
    const auto socket = system.open_socket(endpoint);
    if (!socket) return nullptr;
    if (!endpoint.is_unix()) {
        static_cast<void>(system.set(*socket, driver::SocketOption::reuse_address, 1));
    }
    if (!system.bind(*socket, endpoint) || !system.listen(*socket, 1)) return nullptr;
    return process;
}

// ── Calls ────────────────────────────────────────────────────────────────────────────────────

void World::perform(const CallEngine& plan) {
    const Peer* peer = peer_of(plan.peer);
    if (peer == nullptr || peer->link() == nullptr) return;
    Link& link = *peer->link();
    House& house = *houses_[house_of(*peer).number()];
    link.disturbed = true;
    link.last_activity = kernel_.now();
    const Calls::Target target{
        .engine = house.engine().engine(), .number = house.number(), .id = link.id, .link = &link};
    for (std::size_t i = 0; i < plan.times; ++i) call(house, target, plan);
}

void World::call(House& house, const Calls::Target& target, const CallEngine& plan) {
    switch (plan.kind) {
        case CallKind::post:
            calls_.post(target, [&house, plan](Connection& connection) {
                house.handler().outside_task(connection, plan);
            });
            return;
        case CallKind::write: calls_.write(target, plan.bytes); return;
        case CallKind::wake: calls_.wake(target); return;
        case CallKind::close:
            if (plan.mode != CloseMode::after_flush) target.link->ends[kAcceptor].cut = true;
            calls_.close(target, plan.mode);
            return;
        case CallKind::loop_post:
            if (!house.engine().is_running()) return;
            calls_.loop_post(target, target.engine.loop(0), [](EventLoop&) {});
            return;
    }
}

void World::perform(const Dial& dial) {
    House& house = *houses_[dial.engine];
    if (!house.engine().is_running()) return;
    const Endpoint endpoint = dial_endpoint(dial);
    Engine& engine = house.engine().engine();
    calls_.loop_post(
        {.engine = engine, .number = house.number(), .id = {}, .link = nullptr},
        engine.loop(dial.loop % engine.loop_count()),
        [&house, dial, endpoint](EventLoop& loop) { house.handler().dial(loop, dial, endpoint); });
}

Endpoint World::dial_endpoint(const Dial& dial) {
    switch (dial.target) {
        case DialTarget::nobody: return parsed(kNobody);
        case DialTarget::deaf: make_deaf(); return parsed(kDeaf);
        case DialTarget::own_listener: break;
    }
    return parsed(houses_[dial.engine]->plan().addresses.front().dial);
}

// Listens with a full queue, so that a connect to it hangs.
void World::make_deaf() {
    if (strangers_.contains(kDeaf)) return;
    auto process = listen(kDeaf);
    if (process == nullptr) return;
    for (int i = 0; i < 3; ++i) {
        const auto socket = process->socket(Family::v4, Kind::stream);
        if (socket) static_cast<void>(process->connect(*socket, parsed(kDeaf)));
    }
    strangers_[kDeaf] = std::move(process);
}

}  // namespace berth::simulation
