// SPDX-License-Identifier: MIT
//
// SteppedEngine: the runner's work, one step at a time.

#include "sim/stepped_engine.hpp"

#include <algorithm>
#include <utility>

namespace berth::simulation {

namespace {

Options with_logger(Options options, Logger& logger) {
    options.logger = &logger;
    return options;
}

}  // namespace

Result<loop::DriverFactory> SimEnvironment::choose_driver(DriverKind,
                                                          const driver::Bounds& bounds) {
    pollers_.clear();
    driver::Bounds granted = bounds_;
    granted.read_budget = bounds.read_budget;
    return loop::DriverFactory(
        [this, granted](loop::Loop& loop) -> driver::Outcome<std::unique_ptr<driver::Driver>> {
            auto opened = sim::SimDriver<loop::Loop>::open(loop, process_, granted);
            if (!opened) return base::failed(opened.errno_value());
            pollers_.push_back(opened->get());
            return std::move(*opened);
        });
}

SteppedEngine::SteppedEngine(sim::Kernel& kernel, const EnginePlan& plan, EventHandler& handler,
                             Logger& logger)
    : process_(kernel, sim::Process::kDescriptorsMax,
               {.uid = plan.is_net_admin ? 0U : 65534U, .is_net_admin = plan.is_net_admin}),
      engine_(engine::EngineAccess::make(
          handler, with_logger(plan.options, logger),
          std::make_unique<SimEnvironment>(process_, plan.bounds, pollers_))),
      core_(engine::EngineAccess::core(*engine_)) {
    for (const Address& address : plan.addresses) addresses_.push_back(address.listen);
    core_.on_progress([this] { is_notified_ = true; });
}

Result<void> SteppedEngine::start() {
    if (auto opened = core_.open(addresses_); !opened) return opened;
    if (auto booted = core_.boot(); !booted) return booted;
    loops_.assign(core_.worker_count(), LoopState());
    is_run_ = is_notified_ = true;
    is_dismantled_ = false;
    return {};
}

bool SteppedEngine::is_ready(std::size_t actor) const {
    const Instant now = process_.kernel().now();
    if (actor == loops_.size()) return is_notified_ || now >= coordinator_deadline_;
    const LoopState& loop = loops_[actor];
    switch (loop.kind) {
        case LoopState::Kind::left: return false;
        case LoopState::Kind::asleep: return now >= loop.deadline || pollers_[actor]->is_ready();
        default: return true;
    }
}

Instant SteppedEngine::next() const {
    if (!is_run_) return Instant::never();
    Instant next = coordinator_deadline_;
    for (const LoopState& loop : loops_) {
        if (loop.kind == LoopState::Kind::asleep) next = std::min(next, loop.deadline);
    }
    return next;
}

void SteppedEngine::step(std::size_t actor) {
    if (actor == loops_.size()) return step_coordinator();
    step_loop(actor);
}

void SteppedEngine::step_loop(std::size_t index) {
    LoopState& loop = loops_[index];
    engine::Worker& worker = core_.worker(index);
    const engine::Core::Presence presence(core_);
    switch (loop.kind) {
        case LoopState::Kind::fresh:
            worker.begin();
            loop.kind = LoopState::Kind::awake;
            return;
        case LoopState::Kind::awake:
            loop.deadline = worker.prepare_step(Deadline::never());
            loop.kind = LoopState::Kind::asleep;
            return;
        case LoopState::Kind::asleep:
            ++iterations_;
            loop.kind =
                worker.step_prepared(Deadline{}) ? LoopState::Kind::awake : LoopState::Kind::left;
            return;
        case LoopState::Kind::left: return;
    }
}

void SteppedEngine::step_coordinator() {
    engine::Coordinator& coordinator = core_.coordinator();
    is_notified_ = false;
    if (!is_dismantled_) {
        coordinator_deadline_ = coordinator.advance();
        if (!coordinator.is_done()) return;
        core_.dismantle();
        is_dismantled_ = true;
    }
    const auto again = coordinator.finish();
    coordinator_deadline_ = again.value_or(Instant::never());
    is_run_ = again.has_value();
}

std::string SteppedEngine::overslept() const {
    if (!is_run_) return {};
    const auto all = [this](auto&& fact) {
        for (std::size_t i = 0; i < loops_.size(); ++i) {
            if (!fact(core_.worker(i))) return false;
        }
        return true;
    };
    const bool closed = all([](engine::Worker& worker) { return worker.listeners_are_closed(); });
    const bool empty = closed && connections() == 0;
    switch (core_.state()) {
        case EngineState::ready:
        case EngineState::suspended:
            return core_.stop_request().is_asked() ? "a stop was requested" : "";
        case EngineState::quiescing: return closed ? "every listener is closed" : "";
        case EngineState::draining:
            if (all([](engine::Worker& worker) { return worker.is_settled(); })) {
                return "everybody has our FIN";
            }
            [[fallthrough]];
        case EngineState::lingering: return empty ? "no connection is left to drain" : "";
        case EngineState::forcing: return empty ? "no connection is left to force" : "";
        case EngineState::reclaiming:
            return all([](engine::Worker& worker) { return worker.has_left(); })
                       ? "every loop has left"
                       : "";
        default: return {};
    }
}

}  // namespace berth::simulation
