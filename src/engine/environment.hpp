// SPDX-License-Identifier: MIT
//
// Environment: the world that an engine lives in: a System, a way to open drivers, and what
// connections speak.
//
// The real one is the kernel (environment.cpp); a simulation brings its own, and steps the
// engine's loops itself.
//
// Lifetime:  outlives the engine.

#pragma once

#include "driver/system.hpp"
#include "loop/loop.hpp"
#include "transport/transport.hpp"

#include <berth/options.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <string>

namespace berth::engine {

class Environment {
public:
    virtual ~Environment() = default;
    virtual driver::System& system() = 0;
    // Which driver `wanted` means here, or why it cannot be had.
    virtual Result<loop::DriverFactory> choose_driver(DriverKind wanted,
                                                      const driver::Bounds& bounds) = 0;
    virtual std::string driver_description() const = 0;
    virtual std::size_t usable_cpus() const = 0;
    // What stands between connections and the wire; null: nothing.
    virtual transport::TransportFactory* transports() { return nullptr; }
};

// The kernel of this machine.
std::unique_ptr<Environment> kernel_environment();

}  // namespace berth::engine
