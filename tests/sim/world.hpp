// SPDX-License-Identifier: MIT
//
// World: one run of a schedule: engines, peers and strangers in one simulated kernel, on one
// thread, with one clock.
//
// Whoever can go on takes one step at a time; who is next is chance. Only when nobody can does
// the clock move on, to what happens next. That is also the moment at which nothing may have been
// forgotten: a task that nobody runs, a stop that nobody carries on.
//
// Lifetime:  one run. A world with a violation cannot be taken apart: it is left as it is.
// Threads:   one.

#pragma once

#include "driver/sim/kernel.hpp"
#include "driver/sim/process.hpp"
#include "sim/calls.hpp"
#include "sim/chance.hpp"
#include "sim/findings.hpp"
#include "sim/house.hpp"
#include "sim/links.hpp"
#include "sim/peer.hpp"
#include "sim/schedule.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace berth::simulation {

class World {
public:
    World(const Schedule& schedule, bool verbose);
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // Everything: the acts, some time to settle, a stop, and what is left of it.
    void run();
    const Findings& findings() const { return findings_; }
    std::uint64_t steps() const { return steps_; }

private:
    // An act that waits for its moment in the middle of somebody's calls.
    struct MidCall {
        std::size_t calls_left;
        const Act* act;
    };

    // ── Time ─────────────────────────────────────────────────────────────────────────────────
    // One step of somebody, or of the clock. False: nothing happens before `until`.
    bool turn(Instant until);
    void run_until(Instant until);
    Instant next() const;
    void collect_ready();
    void step_ready();
    void check_asleep();
    void others();

    // ── Acts ─────────────────────────────────────────────────────────────────────────────────
    bool is_act_due() const;
    void perform(const Act& act);
    template <class Plan>
    bool is_put_off(const Act& act, const Plan& plan);
    void perform(const StartEngine& start);
    void perform(const StopEngine& stop);
    void perform(const CallEngine& call);
    void perform(const Dial& dial);
    void perform(const LimitDescriptors& limit);
    void perform(const Occupy& occupy);
    void perform(const SuspendEngine& suspend);
    void perform(const CloseListener& close);
    void connect(const Act& act);
    void call(House& house, const Calls::Target& target, const CallEngine& plan);
    std::unique_ptr<driver::sim::Process> listen(const std::string& address);
    Endpoint dial_endpoint(const Dial& dial);
    void make_deaf();
    House::Holder holder_of(const std::string& address, const House* but) const;
    const Peer* peer_of(std::size_t act) const;

    // ── The end ──────────────────────────────────────────────────────────────────────────────
    const House& house_of(const Peer& peer) const;
    bool is_settled() const;
    void check_settled();
    void check_unserved();
    std::size_t holder_plans(const std::string& address) const;
    void stop_all();
    void bury();

    const Schedule& schedule_;
    Findings findings_;
    Inside inside_;
    Links links_;
    Calls calls_;
    driver::sim::Kernel kernel_;
    Instant began_;
    Chance order_;
    Chance meddling_;
    TraceLogger logger_;
    std::vector<std::unique_ptr<House>> houses_;
    std::vector<std::unique_ptr<Peer>> peers_;
    // By the address that they hold.
    std::map<std::string, std::unique_ptr<driver::sim::Process>> strangers_;
    std::set<std::string> were_strangers_;  // addresses that one ever held
    std::vector<MidCall> mid_calls_;
    std::map<std::size_t, bool> was_put_off_;  // by act
    std::size_t next_act_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t idle_iterations_ = 0;  // of loops, since anybody else did anything
    Instant idle_since_;

    // Who could go on: filled before each step.
    struct Ready {
        House* house;       // or
        Peer* peer;         // or an act
        std::size_t actor;  // of the house
    };
    std::vector<Ready> ready_;
};

}  // namespace berth::simulation
