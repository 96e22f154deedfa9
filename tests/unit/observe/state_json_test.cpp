// SPDX-License-Identifier: MIT
//
// state_json: the members that programs read.

#include "observe/state_json.hpp"

#include <berth/report.hpp>

#include <gmock/gmock.h>

#include <chrono>

namespace berth::observe {
namespace {

using testing::HasSubstr;

TEST(StateJson, SaysHowFarAStopIs) {
    EngineSnapshot engine;
    engine.state = EngineState::draining;
    engine.stop = {.is_requested = true,
                   .requested_by = "signal 15",
                   .elapsed = std::chrono::milliseconds{1'250},
                   .left = std::chrono::seconds{3}};
    engine.connections.draining = 7;
    const std::string json = state_json(engine);
    EXPECT_THAT(json, HasSubstr(R"("state":"draining")"));
    EXPECT_THAT(json, HasSubstr(R"("stop":{"is_requested":true,"requested_by":"signal 15",)"
                                R"("elapsed_ms":1250.000,"left_ms":3000.000})"));
    EXPECT_THAT(json, HasSubstr(R"("draining":7)"));
}

TEST(StateJson, CountsByNameAndLeavesZerosOut) {
    EngineSnapshot engine;
    engine.counters.closed[static_cast<std::size_t>(CloseReason::peer_end)] = 2;
    engine.stops[static_cast<std::size_t>(StopOutcome::clean)] = 1;
    EXPECT_THAT(state_json(engine), HasSubstr(R"("closed":{"peer_end":2})"));
    EXPECT_THAT(state_json(engine), HasSubstr(R"("stops":{"clean":1})"));
}

TEST(StateJson, NamesListenersAndLoops) {
    EngineSnapshot engine;
    engine.listeners = {
        {.endpoint = *Endpoint::parse("unix:@x\"y"), .is_open = false, .accept_queue = 0}};
    engine.loops = {{.index = 3, .connections = 1, .busy = {}, .callback = "on_tick"}};
    EXPECT_THAT(
        state_json(engine),
        HasSubstr(
            R"([{"address":"unix:@x\"y","is_open":false,"connections":0,"accept_queue":0}])"));
    EXPECT_THAT(state_json(engine),
                HasSubstr(R"([{"index":3,"connections":1,"busy_ms":0.000,"callback":"on_tick"}])"));
}

}  // namespace
}  // namespace berth::observe
