// SPDX-License-Identifier: MIT
//
// Log lines: one line each, whatever is in them.

#include "engine/log_lines.hpp"

#include <gmock/gmock.h>

#include <chrono>

namespace berth::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

StopReport forced_report(std::size_t listed, std::uint64_t total) {
    StopReport report;
    report.connections.forced = total;
    report.forced.resize(listed);
    return report;
}

TEST(LogLines, TransitionNamesWhoAskedAndWhatIsLeft) {
    EXPECT_EQ(transition_line({.from = EngineState::ready,
                               .to = EngineState::quiescing,
                               .by = "signal 15",
                               .connections = 412,
                               .left = seconds{30}}),
              "lifecycle from=ready to=quiescing by=\"signal 15\" connections=412 "
              "deadline_ms=30000");
}

TEST(LogLines, TransitionWithoutAStopHasNoDeadline) {
    EXPECT_EQ(transition_line({.from = EngineState::booting, .to = EngineState::ready}),
              "lifecycle from=booting to=ready connections=0");
}

TEST(LogLines, DeadlineThatHasPassedIsZero) {
    EXPECT_THAT(
        transition_line(
            {.from = EngineState::draining, .to = EngineState::forcing, .left = -milliseconds{20}}),
        testing::HasSubstr("deadline_ms=0"));
}

TEST(LogLines, ForcedConnectionIsDescribed) {
    StopReport report = forced_report(1, 1);
    report.forced[0] = {.id = ConnectionId(0, 0, 7),
                        .peer = *Endpoint::parse("tcp://10.0.0.1:50000"),
                        .state = "flushing",
                        .age = seconds{9},
                        .idle = seconds{8},
                        .bytes_unsent = 100,
                        .bytes_unconfirmed = 20,
                        .in_flight = 1};
    EXPECT_THAT(forced_lines(report),
                ElementsAre("forced connection=7 peer=tcp://10.0.0.1:50000 state=flushing "
                            "age_ms=9000 idle_ms=8000 in_flight=1 bytes_unsent=100 "
                            "bytes_unconfirmed=20"));
}

TEST(LogLines, ManyForcedConnectionsAreFewLines) {
    const auto lines = forced_lines(forced_report(StopReport::kForcedMax, 5'000));
    ASSERT_EQ(lines.size(), kForcedLinesMax + 1);
    EXPECT_EQ(lines.back(), "forced more=4990");
    EXPECT_TRUE(forced_lines(StopReport{}).empty());
}

TEST(LogLines, StuckLoopIsNamedWithItsThread) {
    StopReport report;
    report.loops.stuck = {
        {.loop = 3, .callback = "on_traffic", .since = milliseconds{2'500}, .thread = 4'711}};
    EXPECT_THAT(stuck_lines(report),
                ElementsAre("stuck loop=3 callback=on_traffic since_ms=2500 thread=4711"));
}

TEST(LogLines, LevelFollowsTheOutcome) {
    StopReport report;
    EXPECT_EQ(level_of(report), LogLevel::info);
    report.outcome = StopOutcome::forced;
    EXPECT_EQ(level_of(report), LogLevel::warning);
    report.outcome = StopOutcome::stuck;
    EXPECT_EQ(level_of(report), LogLevel::error);
}

TEST(LogLines, ValuesThatCouldBreakTheLineAreQuoted) {
    EXPECT_EQ(LogLine("x").field("a", "plain/value:1").text(), "x a=plain/value:1");
    EXPECT_EQ(LogLine("x").field("a", "").text(), "x a=\"\"");
    EXPECT_EQ(LogLine("x").field("a", "two \"words\"\n").text(), "x a=\"two \\\"words\\\"?\"");
    EXPECT_EQ(LogLine("x").field("a", "b=c").text(), "x a=\"b=c\"");
}

}  // namespace
}  // namespace berth::engine
