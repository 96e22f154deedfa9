// SPDX-License-Identifier: MIT
//
// AdminAttendant: an admin server beside the engine that berth::run runs.
//
// It is there before the engine opens anything, so that a probe has an answer from the beginning,
// and a wrong address is a start that fails. Only the next generation waits until it serves: up to
// then the running one answers, and its admin address is not free; so it tries again.
//
// Lifetime:  the engine that it watches outlives it.
// Threads:   the coordinator's.

#pragma once

#include "engine/attendant.hpp"

#include <berth/admin.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/engine.hpp>
#include <berth/engine_state.hpp>
#include <berth/function.hpp>
#include <berth/options.hpp>
#include <berth/result.hpp>

#include <string>

namespace berth::service {

class AdminAttendant final : public engine::Attendant {
public:
    using Announce = UniqueFunction<void(const Endpoint&)>;

    AdminAttendant(const Engine& watched, const Options& options, std::string address,
                   Announce announce);

    Result<void> start();

    void begin(Engine& engine, os::Notifier& notifier) override;
    Instant attend(Engine& engine) override;
    void changed(Engine& engine, EngineState from, EngineState to) override;
    void end(Engine& engine) override;

private:
    static constexpr Duration kRetryInterval = std::chrono::milliseconds{250};

    AdminServer server_;
    std::string address_;
    Announce announce_;
    bool is_started_ = false;
    bool is_reported_ = false;  // that it cannot be started
};

}  // namespace berth::service
