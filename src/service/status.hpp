// SPDX-License-Identifier: MIT
//
// status: an engine in one sentence, for `systemctl status`.
//
// Threads:   no shared state.
// See:       STATUS= in sd_notify(3).

#pragma once

#include <berth/clock.hpp>
#include <berth/snapshot.hpp>

#include <string>

namespace berth::service {

std::string status_of(const EngineSnapshot& snapshot);

// Has every loop come round within `patience`? Then it is not stuck in a handler.
bool loops_are_alive(const EngineSnapshot& snapshot, Duration patience);

}  // namespace berth::service
