// SPDX-License-Identifier: MIT
//
// The engine's life as a pure table: which state follows which, and on what.
//
// The coordinator is the only one who moves the state word; everyone else asks it to.
//
//     idle → binding → booting → ready → quiescing → draining → forcing → reclaiming → verifying
//                                                                                    → stopped
//     binding | booting → failed          stopped | failed → binding (started again)

#pragma once

#include <berth/engine.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace berth::engine {

enum class LifecycleEvent : std::uint8_t {
    start,      // start() was called
    bound,      // every address is bound
    booted,     // on_boot returned and the loops are open
    fail,       // the start failed; what was opened is closed
    stop,       // a stop was requested
    quiesced,   // every listener is closed
    drained,    // no connection is left
    expired,    // the deadline has passed
    reclaimed,  // every loop has ended, or is given up
    verified,   // the addresses were tried
};
inline constexpr std::size_t kLifecycleEvents = 10;
inline constexpr std::size_t kEngineStates = 11;

// Nothing where the event means nothing in that state: it is too late, or too early.
constexpr std::optional<EngineState> next_state(EngineState state, LifecycleEvent event) {
    using S = EngineState;
    using E = LifecycleEvent;
    switch (event) {
        case E::start:
            if (state == S::idle || state == S::stopped || state == S::failed) return S::binding;
            return {};
        case E::bound:
            if (state == S::binding) return S::booting;
            return {};
        case E::booted:
            if (state == S::booting) return S::ready;
            return {};
        case E::fail:
            if (state == S::binding || state == S::booting) return S::failed;
            return {};
        case E::stop:
            if (state == S::ready) return S::quiescing;
            return {};
        case E::quiesced:
            if (state == S::quiescing) return S::draining;
            return {};
        case E::drained:
            if (state == S::draining || state == S::forcing) return S::reclaiming;
            return {};
        case E::expired:
            if (state == S::quiescing || state == S::draining) return S::forcing;
            // A loop that does not come back is given up.
            if (state == S::forcing) return S::reclaiming;
            return {};
        case E::reclaimed:
            if (state == S::reclaiming) return S::verifying;
            return {};
        case E::verified:
            if (state == S::verifying) return S::stopped;
            return {};
    }
    return {};
}

// Does an engine in this state run, so that it can be stopped?
constexpr bool is_running(EngineState state) {
    return state != EngineState::idle && state != EngineState::stopped &&
           state != EngineState::failed;
}

// From the request on nothing new is begun.
constexpr bool is_stopping(EngineState state) {
    return state >= EngineState::quiescing && is_running(state);
}

}  // namespace berth::engine
