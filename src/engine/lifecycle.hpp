// SPDX-License-Identifier: MIT
//
// The engine's life as a pure table: which state follows which, and on what.
//
// The coordinator is the only one who moves the state word; everyone else asks it to.
//
//     idle → binding → booting → ready ⇄ suspended
//     ready ⇄ handing_over
//     ready | suspended → lame_duck → quiescing → draining → lingering → reclaiming → verifying
//                                                                                   → stopped
//     handing_over → quiescing          lame_duck | quiescing | draining | lingering → forcing
//     binding | booting → failed        stopped | failed → binding (started again)

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
    suspend,    // every listener is paused
    resume,     // they accept again
    commit,     // the next generation accepts
    roll_back,  // it did not last
    stop,       // a stop was requested
    quiesce,    // the lame duck's time is over
    quiesced,   // every listener is closed
    settled,    // everybody has our FIN
    drained,    // no connection is left
    expired,    // the deadline has passed
    reclaimed,  // every loop has ended, or is given up
    verified,   // the addresses were tried
};
inline constexpr std::size_t kLifecycleEvents = 16;
inline constexpr std::size_t kEngineStates = 15;

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
        {S::ready, E::suspend, S::suspended},
        {S::suspended, E::resume, S::ready},
        {S::ready, E::commit, S::handing_over},
        {S::handing_over, E::roll_back, S::ready},
        {S::ready, E::stop, S::lame_duck},
        {S::suspended, E::stop, S::lame_duck},
        {S::handing_over, E::stop, S::quiescing},
        {S::lame_duck, E::quiesce, S::quiescing},
        {S::quiescing, E::quiesced, S::draining},
        {S::draining, E::settled, S::lingering},
        {S::draining, E::drained, S::reclaiming},
        {S::lingering, E::drained, S::reclaiming},
        {S::forcing, E::drained, S::reclaiming},
        {S::lame_duck, E::expired, S::forcing},
        {S::quiescing, E::expired, S::forcing},
        {S::draining, E::expired, S::forcing},
        {S::lingering, E::expired, S::forcing},
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
    return state >= EngineState::lame_duck && is_running(state);
}

}  // namespace berth::engine
