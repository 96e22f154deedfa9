// SPDX-License-Identifier: MIT
//
// status: a sentence per state.

#include "service/status.hpp"

#include <berth/endpoint.hpp>
#include <berth/engine_state.hpp>
#include <berth/snapshot.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace berth::service {
namespace {

using namespace std::chrono_literals;

EngineSnapshot listening_on(std::size_t count) {
    EngineSnapshot snapshot;
    snapshot.state = EngineState::ready;
    for (std::size_t i = 0; i < count; ++i) {
        snapshot.listeners.push_back(
            {.endpoint = Endpoint(Scheme::unix_stream, "@" + std::to_string(i))});
    }
    return snapshot;
}

TEST(Status, NamesTheAddressesButNotHundreds) {
    EXPECT_EQ(status_of(listening_on(2)), "listening on unix:@0, unix:@1");
    EXPECT_EQ(status_of(listening_on(100)),
              "listening on unix:@0, unix:@1, unix:@2, unix:@3, and more");
    EXPECT_EQ(status_of(listening_on(0)), "listening on nothing");
}

TEST(Status, LeavesOutWhatIsClosed) {
    EngineSnapshot snapshot = listening_on(2);
    snapshot.listeners[0].is_open = false;
    EXPECT_EQ(status_of(snapshot), "listening on unix:@1");
}

TEST(Status, SaysHowFarAStopIs) {
    EngineSnapshot snapshot;
    snapshot.state = EngineState::draining;
    snapshot.connections = {.connecting = 0, .open = 1, .draining = 5, .lingering = 2};
    snapshot.stop = {
        .is_requested = true, .requested_by = "signal 15", .elapsed = 1s, .left = 28'100ms};
    EXPECT_EQ(status_of(snapshot),
              "stopping (draining), asked by signal 15: 8 connections left, "
              "29 s to the deadline");
    snapshot.stop.left = -1s;
    EXPECT_TRUE(status_of(snapshot).ends_with(", 0 s to the deadline"));
}

TEST(Status, KnowsALoopThatDoesNotComeRound) {
    EngineSnapshot snapshot;
    EXPECT_TRUE(loops_are_alive(snapshot, 1s));
    snapshot.loops = {{.index = 0, .connections = 0, .busy = 999ms, .callback = {}}};
    EXPECT_TRUE(loops_are_alive(snapshot, 1s));
    snapshot.loops[0].busy = 1s;
    EXPECT_FALSE(loops_are_alive(snapshot, 1s));
}

}  // namespace
}  // namespace berth::service
