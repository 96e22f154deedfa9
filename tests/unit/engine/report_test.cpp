// SPDX-License-Identifier: MIT
//
// StopReport: its exit codes, its line and its JSON.

#include <berth/report.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace berth {
namespace {

using std::chrono::milliseconds;

class AReport : public testing::Test {
protected:
    AReport() {
        report.requested_by = "signal 15";
        report.deadline = milliseconds{30'000};
        report.duration = milliseconds{12};
    }
    void hold_an_address() {
        report.listeners.push_back({.endpoint = *Endpoint::parse("tcp://127.0.0.1:0"),
                                    .quiesce = "best_effort",
                                    .released = false,
                                    .cause = "bind: taken"});
    }
    void get_stuck() {
        report.loops.stuck.push_back(
            {.loop = 3, .callback = "on_traffic", .since = milliseconds{2'500}});
    }

    StopReport report;
};

TEST_F(AReport, CleanIsZero) {
    EXPECT_EQ(report.exit_code(), 0);
    EXPECT_TRUE(report.ok());
    report.outcome = StopOutcome::cancelled_during_boot;
    EXPECT_EQ(report.exit_code(), 0);
    EXPECT_TRUE(report.ok());
}

TEST_F(AReport, FailureOfALoopIsOne) {
    report.outcome = StopOutcome::failed;
    EXPECT_EQ(report.exit_code(), 1);
    EXPECT_FALSE(report.ok());
}

TEST_F(AReport, ForcedConnectionsAndLostBytesAreThree) {
    report.outcome = StopOutcome::forced;
    report.connections.forced = 1;
    EXPECT_EQ(report.exit_code(), 3);
    report.connections.forced = 0;
    report.bytes.discarded = 1;
    EXPECT_EQ(report.exit_code(), 3);
    EXPECT_FALSE(report.ok());
}

TEST_F(AReport, UnconfirmedBytesAloneCostNothing) {
    report.bytes.unconfirmed = 1;
    EXPECT_EQ(report.exit_code(), 0);
}

TEST_F(AReport, HighestExitCodeWins) {
    report.connections.forced = 1;
    hold_an_address();
    EXPECT_EQ(report.exit_code(), 4);
    EXPECT_FALSE(report.ok());
    get_stuck();
    EXPECT_EQ(report.exit_code(), 5);
}

TEST_F(AReport, LineSaysWhatAnOperatorWantsToKnow) {
    report.connections.closed[static_cast<std::size_t>(CloseReason::peer_end)] = 2;
    report.connections.closed[static_cast<std::size_t>(CloseReason::stop_graceful)] = 3;
    EXPECT_EQ(report.to_string(),
              "stopped clean in 12 ms (by signal 15, deadline 30000 ms): 5 connections closed, "
              "0 forced; 0 bytes lost, 0 unconfirmed");
}

TEST_F(AReport, LineNamesWhatIsHeldAndWhoIsStuck) {
    hold_an_address();
    get_stuck();
    report.failure = "poll: bad";
    const std::string line = report.to_string();
    EXPECT_TRUE(
        line.ends_with("; tcp://127.0.0.1:0 still held: bind: taken; loop 3 stuck in "
                       "on_traffic for 2500 ms; poll: bad"))
        << line;
}

TEST_F(AReport, JsonHasEveryFieldOfTheContract) {
    report.phases.push_back({.name = "drain", .start = milliseconds{1}});
    report.connections.closed[static_cast<std::size_t>(CloseReason::peer_reset)] = 7;
    report.bytes.written = 5;
    report.bytes.acknowledged = 2;
    report.bytes.discarded = 2;
    report.bytes.unconfirmed = 1;
    hold_an_address();
    get_stuck();
    EXPECT_EQ(
        report.to_json(),
        R"({"version":1,"outcome":"clean","requested_by":"signal 15","deadline_ms":30000.000,)"
        R"("duration_ms":12.000,"phases":[{"name":"drain","start_ms":1.000,"duration_ms":0.000}],)"
        R"("connections":{"at_start":0,"opened_during_stop":0,"closed":{"peer_reset":7},)"
        R"("forced":0},"bytes":{"written":5,"acknowledged":2,"discarded":2,"unconfirmed":1,)"
        R"("received_after_fin":0},"forced":[],"samples":[],)"
        R"("listeners":[{"address":"tcp://127.0.0.1:0",)"
        R"("quiesce":"best_effort","released":false,"listened":"not_tried","cause":"bind: taken",)"
        R"("accepted_after_stop":0,"refused":0,"handshakes_abandoned":0,)"
        R"("datagrams_after_stop":0}],)"
        R"("tasks":{"run":0,"cancelled":0,"timers_dropped":0},)"
        R"("loops":{"joined":0,"stuck":[{"loop":3,)"
        R"("callback":"on_traffic","since_ms":2500.000,"thread":0}]},)"
        R"("descriptors":{"before":0,"after":0},)"
        R"("handler_exceptions":0,"failure":""})");
}

}  // namespace
}  // namespace berth
