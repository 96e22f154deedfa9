// SPDX-License-Identifier: MIT
//
// state_json: an engine at one moment, as JSON; while it stops, how far that is.
//
// Threads:   pure.
// See:       docs/guides/observing.md.

#pragma once

#include <berth/snapshot.hpp>

#include <string>

namespace berth::observe {

std::string state_json(const EngineSnapshot& snapshot);

}  // namespace berth::observe
