// SPDX-License-Identifier: MIT
//
// kubernetes: what an orchestrator that routes by readiness needs of a stop.
//
// A pod's removal from the endpoints runs beside its SIGTERM, and takes seconds to arrive
// everywhere: a server that stops accepting at once refuses clients that were sent to it.
//
// Threads:   no shared state.
// See:       docs/guides/kubernetes.md.

#pragma once

#include <berth/clock.hpp>
#include <berth/options.hpp>

#include <chrono>

namespace berth::service {

inline constexpr Duration kLameDuckUnderKubernetes = std::chrono::seconds{5};

// The least terminationGracePeriodSeconds: lame duck, drain, and what a stop takes besides.
std::chrono::seconds grace_period(const Options& options);

}  // namespace berth::service
