// SPDX-License-Identifier: MIT
//
// SteppedEngine: the production engine in a simulated process, without threads.
//
// It does one step at a time what engine/runner.cpp does with threads. A loop's iteration has two
// steps: going to sleep, and waking. In between the loop sleeps until its driver has something,
// somebody wakes it, or its deadline comes; if it is not woken when it should be, it sleeps on,
// as a thread would, and that shows. The coordinator is called only when it was notified.
//
// Lifetime:  outlives its runs; the kernel outlives it.

#pragma once

#include "driver/sim/kernel.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/sim_driver.hpp"
#include "driver/sim/sim_system.hpp"
#include "engine/engine_core.hpp"
#include "sim/schedule.hpp"

#include <berth/engine.hpp>
#include <berth/logger.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace berth::simulation {

namespace sim = driver::sim;

class SimEnvironment final : public engine::Environment {
public:
    SimEnvironment(sim::Process& process, const driver::Bounds& bounds,
                   std::vector<sim::SimPoller*>& pollers)
        : process_(process), system_(process), bounds_(bounds), pollers_(pollers) {}

    driver::System& system() override { return system_; }
    Result<loop::DriverFactory> choose_driver(DriverKind wanted,
                                              const driver::Bounds& bounds) override;
    std::string driver_description() const override { return "simulated"; }
    std::size_t usable_cpus() const override { return 2; }

private:
    sim::Process& process_;
    sim::SimSystem system_;
    driver::Bounds bounds_;
    std::vector<sim::SimPoller*>& pollers_;  // of the loops, in their order
};

class SteppedEngine {
public:
    SteppedEngine(sim::Kernel& kernel, const EnginePlan& plan, EventHandler& handler,
                  Logger& logger);

    Result<void> start();
    // While it runs: must be refused.
    Result<void> start_again() { return core_.open(addresses_); }

    // ── Who could go on now: the loops, by number, and the coordinator after them ────────────
    std::size_t actors() const { return is_run_ ? loops_.size() + 1 : 0; }
    bool is_ready(std::size_t actor) const;
    void step(std::size_t actor);
    // When one of them goes on by itself.
    Instant next() const;

    // While everybody sleeps: what should have woken one of them. Empty: nothing.
    std::string overslept() const;

    bool is_running() const { return is_run_; }
    bool is_stopping() const { return engine::is_stopping(core_.state()); }
    Engine& engine() { return *engine_; }
    const Engine& engine() const { return *engine_; }
    engine::Core& core() { return core_; }
    const engine::Core& core() const { return core_; }
    sim::Process& process() { return process_; }
    const sim::Process& process() const { return process_; }
    const StopReport& report() { return core_.coordinator().report(); }
    std::uint64_t iterations() const { return iterations_; }
    std::size_t connections() const { return core_.face().connection_count(); }

private:
    struct LoopState {
        enum class Kind : std::uint8_t { fresh, awake, asleep, left };
        Kind kind = Kind::fresh;
        Deadline deadline;
    };

    void step_loop(std::size_t index);
    void step_coordinator();

    sim::Process process_;
    std::vector<std::string> addresses_;
    std::vector<sim::SimPoller*> pollers_;
    std::unique_ptr<Engine> engine_;
    engine::Core& core_;
    std::vector<LoopState> loops_;
    bool is_run_ = false;
    bool is_dismantled_ = false;  // the loops have ended, the addresses are tried
    bool is_notified_ = false;
    Instant coordinator_deadline_ = Instant::never();
    std::uint64_t iterations_ = 0;
};

}  // namespace berth::simulation
