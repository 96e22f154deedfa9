// SPDX-License-Identifier: MIT
//
// World: steps, time, and the end.

#include "sim/world.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace berth::simulation {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kStepsMax = 1000000;
constexpr Duration kSettleMin = 100ms;
constexpr Duration kSettleMax = 10s;
constexpr Duration kAfterlife = 600s;  // longer than TIME_WAIT and what orphans are given
// How often a loop may go round while nobody else does anything.
constexpr std::uint64_t kIdleIterations = 3000;
constexpr Duration kIdleSecond = 1ms;  // one more for each

}  // namespace

World::World(const Schedule& schedule, bool verbose)
    : schedule_(schedule),
      findings_(verbose),
      inside_(findings_),
      links_(findings_),
      calls_(findings_, inside_),
      kernel_(schedule.seed, schedule.weather),
      began_(kernel_.now()),
      order_(schedule.seed, 2000),
      meddling_(schedule.seed, 2001),
      logger_(findings_, kernel_) {
    for (std::size_t i = 0; i < schedule.engines.size(); ++i) {
        houses_.push_back(std::make_unique<House>(kernel_,
                                                  Handler::World{.findings = findings_,
                                                                 .inside = inside_,
                                                                 .links = links_,
                                                                 .calls = calls_,
                                                                 .schedule = schedule_},
                                                  schedule.engines[i], i, logger_));
        House& house = *houses_.back();
        house.ask_for_holders([this, &house](const std::string& address) {
            // A stranger may have left its path behind.
            const bool is_doubtful = were_strangers_.contains(address);
            return is_doubtful ? House::Holder::perhaps : holder_of(address, &house);
        });
    }
    const auto [receive, send] = schedule.buffers;
    if (receive != 0) kernel_.size_tcp_buffers(receive, send);
    kernel_.on_call([this] { others(); });
}

void World::run() {
    const Duration last = schedule_.acts.empty() ? Duration{} : schedule_.acts.back().at;
    run_until(began_ + last);
    for (const auto& house : houses_) house->engine().engine().resume();
    run_until(began_ + last + kSettleMin);
    for (Duration more{}; !findings_.any() && more < kSettleMax && !is_settled(); more += 100ms) {
        run_until(kernel_.now() + 100ms);
    }
    if (!findings_.any()) check_settled();
    for (const auto& house : houses_) {
        if (!findings_.any()) run_until(std::max(house->listeners_due(), kernel_.now()));
        house->check_listeners_closed();
    }
    if (!findings_.any()) stop_all();
    if (!findings_.any()) bury();
}

// ── Steps ────────────────────────────────────────────────────────────────────────────────────

void World::run_until(Instant until) {
    while (!findings_.any() && turn(until)) {
    }
}

bool World::turn(Instant until) {
    collect_ready();
    if (!ready_.empty()) {
        step_ready();
        return true;
    }
    check_asleep();
    const Instant then = next();
    if (then > until || then.is_never()) {
        if (!until.is_never()) kernel_.advance(std::max(until, kernel_.now()));
        return false;
    }
    kernel_.advance(std::max(then, kernel_.now()));
    return true;
}

void World::collect_ready() {
    ready_.clear();
    if (is_act_due()) ready_.push_back({});
    for (const auto& house : houses_) {
        const SteppedEngine& engine = house->engine();
        for (std::size_t actor = 0; actor < engine.actors(); ++actor) {
            if (engine.is_ready(actor)) ready_.push_back({house.get(), nullptr, actor});
        }
    }
    for (const auto& peer : peers_) {
        if (peer->is_ready()) ready_.push_back({nullptr, peer.get(), 0});
    }
    // Those who waited for a call that nobody makes.
    if (ready_.empty() && !mid_calls_.empty()) ready_.push_back({});
}

void World::step_ready() {
    if (++steps_ > kStepsMax) findings_.violated("endless", "too many steps");
    const Ready chosen = ready_[order_.below(ready_.size())];
    if (chosen.house != nullptr) {
        ++idle_iterations_;
        const Duration idle = kernel_.now() - idle_since_;
        const auto allowed = kIdleIterations + static_cast<std::uint64_t>(idle / kIdleSecond);
        if (idle_iterations_ > allowed) {
            findings_.violated("spinning", "loops go round for nothing, " +
                                               std::to_string(idle_iterations_) + " times in " +
                                               std::to_string(idle / 1ms) + " ms");
        }
        return chosen.house->step(chosen.actor);
    }
    idle_iterations_ = 0;
    idle_since_ = kernel_.now();
    if (chosen.peer != nullptr) return chosen.peer->step();
    if (is_act_due()) return perform(schedule_.acts[next_act_++]);
    const Act& act = *mid_calls_.back().act;
    mid_calls_.pop_back();
    perform(act);
}

bool World::is_act_due() const {
    return next_act_ < schedule_.acts.size() &&
           began_ + schedule_.acts[next_act_].at <= kernel_.now();
}

Instant World::next() const {
    Instant next = kernel_.next_event();
    if (next_act_ < schedule_.acts.size()) {
        next = std::min(next, began_ + schedule_.acts[next_act_].at);
    }
    for (const auto& house : houses_) next = std::min(next, house->engine().next());
    for (const auto& peer : peers_) next = std::min(next, peer->next());
    return next;
}

// In the middle of somebody's call: other threads and other processes act.
void World::others() {
    for (std::size_t i = 0; i < mid_calls_.size(); ++i) {
        if (--mid_calls_[i].calls_left > 0) continue;
        const Act& act = *mid_calls_[i].act;
        mid_calls_.erase(mid_calls_.begin() + static_cast<std::ptrdiff_t>(i));
        perform(act);
        break;
    }
    if (schedule_.meddling == 0 || peers_.empty() || !meddling_.one_in(schedule_.meddling)) return;
    Peer& peer = *peers_[meddling_.below(peers_.size())];
    if (peer.is_ready()) peer.step();
}

// ── What must not be left undone while everybody sleeps ──────────────────────────────────────

void World::check_asleep() {
    for (const auto& house : houses_) {
        const std::string overslept = house->engine().overslept();
        if (!overslept.empty()) findings_.violated("coordinator-sleeps", "though " + overslept);
        if (!house->engine().is_running()) continue;
        house->fell_asleep();
        if (const Call* call = calls_.first_waiting(house->number())) {
            findings_.violated("loop-sleeps", "though there is a " + to_string(*call));
        }
    }
}

// ── Settling: what must have been done when there was time for it ────────────────────────────

namespace {

bool owes_answers(const Link& link) {
    return is_echo(link.manners.reply) && link.manners.trouble == Trouble::none &&
           !link.disturbed && !link.doubtful && !link.reason;
}

}  // namespace

const House& World::house_of(const Peer& peer) const {
    const Link* link = peer.link();
    return *houses_[link != nullptr && link->id ? link->engine : peer.plan().engine];
}

bool World::is_settled() const {
    return std::ranges::all_of(peers_, [this](const auto& peer) {
        const Link* link = peer->link();
        if (link == nullptr || !owes_answers(*link) || peer->has_vanished()) return true;
        const House& house = house_of(*peer);
        if (house.handler().is_closing(peer->plan().address)) return true;
        if (!house.engine().is_running() || house.engine().is_stopping()) return true;
        if (!link->id) {
            return !peer->is_connected() || house.is_full() || house.sends_away() ||
                   peer->run() == 0 || peer->run() != house.run() ||
                   schedule_.weather.aborted_accept != 0;
        }
        // That it left must be noticed: then the link has a reason.
        if (peer->has_left()) return link->manners.at_end == AtEnd::keep;
        if (peer->plan().reading != Reading::always) return true;
        const End& end = link->ends[kDialer];
        if (end.heard_end) return true;
        return (peer->sent_all() || end.ended) && end.received[kOwn] == end.sent[kOwn] &&
               !(end.ended && link->manners.at_end == AtEnd::close);
    });
}

void World::check_settled() {
    if (is_settled()) return;
    std::string facts;
    for (const auto& peer : peers_) {
        const Link* link = peer->link();
        if (link == nullptr || !owes_answers(*link)) continue;
        const End& end = link->ends[kDialer];
        facts += link->name() + " of peer " + std::to_string(peer->act()) +
                 (link->id ? "" : " was never accepted") + ": sent " +
                 std::to_string(end.sent[kOwn]) + ", has " + std::to_string(end.received[kOwn]) +
                 (end.gone ? ", left; " : "; ");
    }
    findings_.violated("no-answer", facts);
}

// ── The end ──────────────────────────────────────────────────────────────────────────────────

// Whose handshake was complete before the listener was gone is never reset.
void World::check_unserved() {
    for (const auto& peer : peers_) {
        const PeerPlan& plan = peer->plan();
        const std::string& address = schedule_.engines[plan.engine].addresses[plan.address].listen;
        if (!peer->was_cut_unserved() || were_strangers_.contains(address)) continue;
        const bool is_shared = schedule_.engines.size() > 1 && holder_plans(address) > 1;
        if (is_shared || !houses_[plan.engine]->was_emptied(plan.address, peer->run())) continue;
        findings_.violated(
            "reset-in-the-queue",
            peer->link()->name() + " of peer " + std::to_string(peer->act()) + ", at " + address);
    }
}

std::size_t World::holder_plans(const std::string& address) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(schedule_.engines, [&](const EnginePlan& plan) {
            return std::ranges::find(plan.addresses, address, &Address::listen) !=
                   plan.addresses.end();
        }));
}

void World::stop_all() {
    const auto is_running = [](const auto& house) { return house->engine().is_running(); };
    for (const auto& house : houses_) {
        if (is_running(house)) house->engine().engine().request_stop();
    }
    while (!findings_.any() && std::ranges::any_of(houses_, is_running)) {
        if (!turn(Instant::never()) && !findings_.any()) {
            findings_.violated("no-progress", "a stop goes on for ever");
        }
    }
}

void World::bury() {
    run_until(kernel_.now() + kSettleMin);
    for (const auto& peer : peers_) peer->end_all();
    strangers_.clear();
    links_.check_ends();
    check_unserved();
    for (const auto& house : houses_) house->check_bytes();
    kernel_.advance(kernel_.now() + kAfterlife);
    if (kernel_.owned_sockets() + kernel_.orphaned_sockets() + kernel_.time_wait_rows() == 0) {
        return;
    }
    findings_.violated("sockets-left",
                       std::to_string(kernel_.owned_sockets()) + " owned, " +
                           std::to_string(kernel_.orphaned_sockets()) + " orphaned, " +
                           std::to_string(kernel_.time_wait_rows()) + " in TIME_WAIT");
}

}  // namespace berth::simulation
