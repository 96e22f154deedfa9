// SPDX-License-Identifier: MIT
//
// The engine's lifecycle: every event in every state.

#include "engine/lifecycle.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <set>
#include <string_view>

namespace berth::engine {
namespace {

using enum EngineState;
using Event = LifecycleEvent;

struct Rule {
    EngineState from;
    Event event;
    EngineState to;
};

constexpr std::array kRules{
    Rule{idle, Event::start, binding},           Rule{stopped, Event::start, binding},
    Rule{failed, Event::start, binding},         Rule{binding, Event::bound, booting},
    Rule{binding, Event::fail, failed},          Rule{booting, Event::fail, failed},
    Rule{booting, Event::booted, ready},         Rule{ready, Event::suspend, suspended},
    Rule{suspended, Event::resume, ready},       Rule{ready, Event::commit, handing_over},
    Rule{handing_over, Event::roll_back, ready}, Rule{ready, Event::stop, lame_duck},
    Rule{suspended, Event::stop, lame_duck},     Rule{handing_over, Event::stop, quiescing},
    Rule{lame_duck, Event::quiesce, quiescing},  Rule{lame_duck, Event::expired, forcing},
    Rule{quiescing, Event::quiesced, draining},  Rule{quiescing, Event::expired, forcing},
    Rule{draining, Event::settled, lingering},   Rule{draining, Event::drained, reclaiming},
    Rule{lingering, Event::drained, reclaiming}, Rule{lingering, Event::expired, forcing},
    Rule{draining, Event::expired, forcing},     Rule{forcing, Event::drained, reclaiming},
    Rule{forcing, Event::expired, reclaiming},   Rule{reclaiming, Event::reclaimed, verifying},
    Rule{verifying, Event::verified, stopped},
};

std::optional<EngineState> expected(EngineState state, Event event) {
    for (const Rule& rule : kRules) {
        if (rule.from == state && rule.event == event) return rule.to;
    }
    return {};
}

TEST(Lifecycle, FollowsTheRulesAndNothingElse) {
    for (std::size_t s = 0; s < kEngineStates; ++s) {
        for (std::size_t e = 0; e < kLifecycleEvents; ++e) {
            const auto state = static_cast<EngineState>(s);
            const auto event = static_cast<Event>(e);
            EXPECT_EQ(next_state(state, event), expected(state, event))
                << to_string(state) << " + event " << e;
        }
    }
}

TEST(Lifecycle, EveryRunningStateIsLeftSomehow) {
    for (std::size_t s = 0; s < kEngineStates; ++s) {
        std::size_t ways = 0;
        for (std::size_t e = 0; e < kLifecycleEvents; ++e) {
            if (next_state(static_cast<EngineState>(s), static_cast<Event>(e))) ++ways;
        }
        EXPECT_GT(ways, 0U) << to_string(static_cast<EngineState>(s));
    }
}

TEST(Lifecycle, RunsFromTheStartToTheEndOrTheFailure) {
    EXPECT_FALSE(is_running(idle) || is_running(stopped) || is_running(failed));
    for (const EngineState state :
         {binding, booting, ready, suspended, handing_over, lame_duck, quiescing, draining,
          lingering, forcing, reclaiming, verifying}) {
        EXPECT_TRUE(is_running(state)) << to_string(state);
        EXPECT_EQ(is_stopping(state), state > handing_over) << to_string(state);
    }
}

TEST(Lifecycle, HasANameForEachState) {
    std::set<std::string_view> names;
    for (std::size_t s = 0; s < kEngineStates; ++s) {
        names.insert(to_string(static_cast<EngineState>(s)));
    }
    EXPECT_EQ(names.size(), kEngineStates);
}

}  // namespace
}  // namespace berth::engine
