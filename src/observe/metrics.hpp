// SPDX-License-Identifier: MIT
//
// metrics_text: every metric of an engine, for Prometheus. The catalogue is metrics.cpp, and
// docs/reference/metrics.md in words.
//
// Threads:   pure.

#pragma once

#include <berth/snapshot.hpp>

#include <string>

namespace berth::observe {

std::string metrics_text(const EngineSnapshot& snapshot);

}  // namespace berth::observe
