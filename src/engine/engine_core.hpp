// SPDX-License-Identifier: MIT
//
// Engine::Core: what an Engine holds: a Core, and the threads to run it with.
//
// EngineAccess makes engines that live in another world than this machine's kernel: a simulation
// never calls start() on such a face, but opens and steps its core itself.
//
// Lifetime:  that of its Engine.

#pragma once

#include "engine/connection_task.hpp"
#include "engine/core.hpp"
#include "engine/environment.hpp"
#include "engine/runner.hpp"

#include <berth/engine.hpp>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace berth {

class Engine::Core : public engine::Core {
public:
    Core(Engine& face, EventHandler& handler, const Options& options,
         std::unique_ptr<engine::Environment> environment)
        : engine::Core(face, handler, options, std::move(environment)), runner(*this) {}

    // Any thread. False: the engine does not take it.
    bool send(engine::ConnectionTask::Call&& call, Completion&& done);
    // `change` is one of DatagramPort. The same.
    using GroupChange = Result<void> (net::DatagramPort::*)(const MulticastGroup&);
    bool change_group(std::size_t listener, MulticastGroup&& group, GroupCompletion&& done,
                      GroupChange change);

    engine::Runner runner;
};

namespace engine {

struct EngineAccess {
    static std::unique_ptr<Engine> make(EventHandler& handler, const Options& options,
                                        std::unique_ptr<Environment> environment) {
        return std::unique_ptr<Engine>(new Engine(handler, options, std::move(environment)));
    }
    static engine::Core& core(Engine& engine) { return *engine.core_; }
    // Engine::run with somebody standing by, and sockets that were there before.
    struct RunPlan {
        std::span<Attendant* const> attendants;
        std::vector<InheritedSocket> inherited;
        bool keeps_listeners = false;  // a service manager holds copies
    };
    static Result<StopReport> run(Engine& engine, std::span<const std::string> addresses,
                                  RunPlan plan);
};

}  // namespace engine

}  // namespace berth
