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

struct LifecycleTransition {
    EngineState from;
    LifecycleEvent event;
    EngineState to;
};

inline constexpr std::array kLifecycleTransitions = [] {
    using S = EngineState;
    using E = LifecycleEvent;
    return std::to_array<LifecycleTransition>({
        {S::idle, E::start, S::binding},
        {S::stopped, E::start, S::binding},
        {S::failed, E::start, S::binding},
        {S::binding, E::bound, S::booting},
        {S::booting, E::booted, S::ready},
        {S::binding, E::fail, S::failed},
        {S::booting, E::fail, S::failed},
        {S::ready, E::stop, S::quiescing},
        {S::quiescing, E::quiesced, S::draining},
        {S::draining, E::drained, S::reclaiming},
        {S::forcing, E::drained, S::reclaiming},
        {S::quiescing, E::expired, S::forcing},
        {S::draining, E::expired, S::forcing},
        {S::forcing, E::expired, S::reclaiming},  // a loop that does not come back is given up
        {S::reclaiming, E::reclaimed, S::verifying},
        {S::verifying, E::verified, S::stopped},
    });
}();

// Nothing where the event means nothing in that state: it is too late, or too early.
constexpr std::optional<EngineState> next_state(EngineState state, LifecycleEvent event) {
    for (const LifecycleTransition& transition : kLifecycleTransitions) {
        if (transition.from == state && transition.event == event) return transition.to;
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
