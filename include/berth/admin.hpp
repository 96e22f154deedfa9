// SPDX-License-Identifier: MIT
//
// AdminServer: an engine seen from outside: metrics, health and state over HTTP.
//
//     GET /metrics   Prometheus text      GET /livez    200 while every loop comes round
//     GET /state     JSON, also of a      GET /readyz   200 while ready; 503 from the first
//                    stop that runs                     moment of a stop, before anything closes
//
// It is an engine of its own, with one loop, so that it answers while the other is busy, and
// until the other has stopped.
//
// Lifetime:  the engine that it watches outlives it.
// Threads:   any.
// Errors:    as Engine::start.
// See:       docs/guides/observing.md, docs/reference/metrics.md.

#pragma once

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/export.hpp>
#include <berth/options.hpp>
#include <berth/result.hpp>

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace berth {

class Engine;

class BERTH_EXPORT AdminServer {
public:
    // A loop that is in one iteration for longer is not live.
    static constexpr Duration kBusyMax = std::chrono::seconds{5};

    // Of `options` only driver, logger, handover, probation and handover_timeout are used: with
    // a handover path the admin address travels with the engine's, beside it.
    explicit AdminServer(const Engine& watched, const Options& options = {},
                         Duration busy_max = kBusyMax);
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;
    ~AdminServer();  // stops it

    Result<void> start(std::string_view address);
    std::vector<Endpoint> endpoints() const;
    void stop();

private:
    class Core;
    std::unique_ptr<Core> core_;
};

}  // namespace berth
