// SPDX-License-Identifier: MIT
//
// Health: readiness is the state's, and a loop is late only when it was seen to be.

#include "observe/health.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace berth::observe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kBusyMax = seconds{2};

// At `at`, with one loop whose iteration began then; a loop that waits if that is never.
EngineSnapshot engine_at(Duration at, Duration iteration) {
    EngineSnapshot engine;
    engine.at = {at};
    engine.state = EngineState::ready;
    engine.loops = {{.index = 0,
                     .connections = 0,
                     .busy = iteration == kNever ? Duration::zero() : at - iteration,
                     .callback = "on_traffic"}};
    return engine;
}

bool is_ready(EngineState state) {
    EngineSnapshot engine;
    engine.state = state;
    return readiness(engine).is_well;
}

TEST(Readiness, IsWhileTheAddressIsServed) {
    EXPECT_TRUE(is_ready(EngineState::ready));
    EXPECT_TRUE(is_ready(EngineState::handing_over)) << "the next generation accepts";
    EXPECT_FALSE(is_ready(EngineState::booting));
    EXPECT_FALSE(is_ready(EngineState::suspended));
    EXPECT_FALSE(is_ready(EngineState::lame_duck));
    EXPECT_FALSE(is_ready(EngineState::draining));
    EXPECT_FALSE(is_ready(EngineState::stopped));
}

TEST(Readiness, EndsWithTheRequestAndSaysWhose) {
    EngineSnapshot engine;
    engine.state = EngineState::ready;
    engine.stop = {.is_requested = true,
                   .requested_by = "signal 15",
                   .elapsed = {},
                   .left = milliseconds{29'500}};
    const Health health = readiness(engine);
    EXPECT_FALSE(health.is_well) << "the coordinator has not looked yet";
    EXPECT_EQ(health.text, "ready: asked by signal 15, 29500 ms left\n");
}

TEST(Liveness, LoopThatStaysInOneIterationIsNamed) {
    LoopWatch watch(kBusyMax);
    watch.look(engine_at(seconds{10}, seconds{10}));
    watch.look(engine_at(seconds{11}, seconds{10}));
    const Health health = watch.liveness(engine_at(seconds{13}, seconds{10}));
    EXPECT_FALSE(health.is_well);
    EXPECT_EQ(health.text, "loop 0 is in on_traffic for 3000 ms\n");
}

TEST(Liveness, LoopThatComesRoundIsWell) {
    LoopWatch watch(kBusyMax);
    for (int second = 10; second < 20; ++second) {
        watch.look(engine_at(seconds{second}, seconds{second} - milliseconds{1}));
    }
    EXPECT_TRUE(watch.liveness(engine_at(seconds{20}, seconds{19})).is_well);
}

TEST(Liveness, LoopThatWasJustWokenFromLongSleepIsWell) {
    LoopWatch watch(kBusyMax);
    watch.look(engine_at(seconds{10}, kNever));
    EXPECT_TRUE(watch.liveness(engine_at(seconds{60}, seconds{1})).is_well);
    EXPECT_TRUE(watch.liveness(engine_at(seconds{60} + milliseconds{1}, seconds{1})).is_well);
    EXPECT_FALSE(watch.liveness(engine_at(seconds{61}, seconds{1})).is_well) << "and stays there";
}

}  // namespace
}  // namespace berth::observe
