// SPDX-License-Identifier: MIT
//
// EngineState: where an engine is in its life.
//
// The order is the order of a life; what each promises is in docs/reference/states.md.

#pragma once

#include <berth/export.hpp>

#include <cstdint>
#include <string_view>

namespace berth {

enum class EngineState : std::uint8_t {
    idle,
    binding,
    booting,
    ready,
    suspended,     // listeners are paused, connections live
    handing_over,  // the next generation accepts; this one could resume
    lame_duck,     // a stop was requested: not ready, still accepting
    quiescing,
    draining,
    lingering,  // everybody has our FIN; some have not answered it
    forcing,
    reclaiming,
    verifying,
    stopped,
    failed,
};

BERTH_EXPORT std::string_view to_string(EngineState state);

}  // namespace berth
