// SPDX-License-Identifier: MIT
//
// The JSON of a report is what docs/reference/report.schema.json says, to the last member.

#include "support/json_schema.hpp"

#include <berth/report.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

namespace berth {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> breaches(const std::string& json) {
    return test::breaches_of_schema(test::source_file("docs/reference/report.schema.json"), json);
}

PortDiagnosis a_diagnosis() {
    PortDiagnosis port;
    port.cause = PortCause::live_listener;
    port.holders = {{}};
    port.evidence = "a row";
    return port;
}

// Every list has something in it.
StopReport full_report() {
    StopReport report;
    report.outcome = StopOutcome::stuck;
    report.requested_by = "signal 15";
    report.phases = {{.name = "drain", .start = milliseconds{1}, .duration = milliseconds{2}}};
    report.connections.closed.fill(1);
    report.forced = {{}};
    report.forced[0].state = "flushing";
    report.samples = {{.at = milliseconds{1}, .serving = 1, .flushing = 2, .lingering = 3}};
    report.listeners.resize(2);
    report.listeners[0].cause = "bind: taken";
    report.listeners[0].port = a_diagnosis();
    report.loops.stuck = {
        {.loop = 1, .callback = "on_open", .since = milliseconds{3}, .thread = 4}};
    report.failure = "poll: EIO";
    return report;
}

TEST(ReportSchema, HoldsForAnEmptyAndForAFullReport) {
    EXPECT_THAT(breaches(StopReport{}.to_json()), IsEmpty());
    EXPECT_THAT(breaches(full_report().to_json()), IsEmpty());
}

TEST(ReportSchema, KnowsEveryOutcome) {
    for (auto outcome = StopOutcome::clean; outcome <= StopOutcome::handed_over;
         outcome = static_cast<StopOutcome>(static_cast<int>(outcome) + 1)) {
        StopReport report;
        report.outcome = outcome;
        EXPECT_THAT(breaches(report.to_json()), IsEmpty());
    }
}

TEST(ReportSchema, SaysNoToWhatIsNotOne) {
    EXPECT_THAT(breaches("{"), ElementsAre("it is not JSON"));
    EXPECT_THAT(breaches("[]"), ElementsAre("$ is no object"));
    std::string json = StopReport{}.to_json();
    json.replace(json.find("\"clean\""), 7, "\"fine\"");
    EXPECT_THAT(breaches(json), ElementsAre("$.outcome is \"fine\""));
    json = StopReport{}.to_json();
    json.replace(json.find("\"tasks\""), 7, "\"chores\"");
    EXPECT_THAT(breaches(json), ElementsAre("$.tasks is missing", "$.chores is not described"));
}

}  // namespace
}  // namespace berth
