// SPDX-License-Identifier: MIT
//
// StopReport::explain: what an operator is told, and what to do about it.

#include <berth/report.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace berth {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class Explaining : public testing::Test {
protected:
    Explaining() {
        report.requested_by = "signal 15";
        report.deadline = milliseconds{30'000};
        report.duration = milliseconds{1'260};
        report.connections.at_start = 2;
    }
    StopReport report;
};

TEST_F(Explaining, CleanStopIsOneParagraph) {
    EXPECT_EQ(
        report.explain(),
        "The server was stopped by signal 15 and took 1.3 s of the 30.0 s that it had. When it "
        "began there were 2 connections; 0 more came before the doors were closed. Nobody was "
        "cut off.\n");
}

TEST_F(Explaining, NamesWhoWasCutOffAndWhatToDo) {
    report.connections.forced = 2;
    report.bytes.discarded = 1'000;
    report.forced.push_back({.id = {},
                             .peer = *Endpoint::parse("tcp://127.0.0.1:4711"),
                             .state = "flushing",
                             .age = milliseconds{9'000},
                             .idle = milliseconds{4'000},
                             .bytes_unsent = 1'000,
                             .bytes_unconfirmed = 24,
                             .in_flight = 1});
    const std::string text = report.explain();
    EXPECT_THAT(text,
                HasSubstr("tcp://127.0.0.1:4711: flushing, silent for 4.0 s, owed 1000 + 24 bytes, "
                          "1 request under way"));
    EXPECT_THAT(text, HasSubstr("and others"));
    EXPECT_THAT(text, HasSubstr("--drain"));
    EXPECT_THAT(text, Not(HasSubstr("Nobody was cut off")));
}

TEST_F(Explaining, SaysWhoHoldsAnAddress) {
    ListenerReport listener;
    listener.endpoint = *Endpoint::parse("tcp://127.0.0.1:9000");
    listener.cause = "address in use";
    report.listeners.push_back(listener);
    EXPECT_THAT(report.explain(), HasSubstr("tcp://127.0.0.1:9000 is still held"));
}

TEST_F(Explaining, HandedOverIsNotHeld) {
    ListenerReport listener;
    listener.endpoint = *Endpoint::parse("tcp://127.0.0.1:9000");
    listener.quiesce = "handed_over";
    report.listeners.push_back(listener);
    EXPECT_THAT(report.explain(), HasSubstr("lives on in the next generation"));
    EXPECT_EQ(report.exit_code(), 0);
}

TEST_F(Explaining, NamesTheThreadOfAStuckLoop) {
    report.loops.stuck.push_back(
        {.loop = 3, .callback = "on_traffic", .since = milliseconds{2'500}, .thread = 77});
    EXPECT_THAT(report.explain(),
                HasSubstr("Loop 3 (thread 77) has not returned from on_traffic for 2.5 s"));
}

}  // namespace
}  // namespace berth
