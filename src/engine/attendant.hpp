// SPDX-License-Identifier: MIT
//
// Attendant: who stands by while an engine is coordinated: the signals, a service manager.
//
// Lifetime:  outlives the run.
// Threads:   called on the coordinator's, between its steps. May call request_stop, suspend,
//            restart and the like; may not wait for the engine.

#pragma once

#include <berth/clock.hpp>
#include <berth/engine.hpp>

namespace berth::os {
class Notifier;
}

namespace berth::engine {

class Attendant {
public:
    // Before anything is opened. `notifier` wakes the coordinator, also from a signal handler.
    virtual void begin(Engine& engine, os::Notifier& notifier) = 0;
    // Whenever the coordinator wakes. By when it wants to be called again at the latest.
    virtual Instant attend(Engine& engine) = 0;
    virtual void changed(Engine& engine, EngineState from, EngineState to) = 0;
    // After on_shutdown, or after a start that failed.
    virtual void end(Engine& engine) = 0;

protected:
    ~Attendant() = default;
};

}  // namespace berth::engine
