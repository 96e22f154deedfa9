// SPDX-License-Identifier: MIT
//
// The metrics of an engine: well-formed to the letter, and every one of them on its page.

#include "observe/metrics.hpp"

#include "observe/exposition.hpp"
#include "support/json_schema.hpp"
#include "support/strict_exposition.hpp"

#include <berth/report.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace berth::observe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::StrictExposition;

// Nothing in it is 0 or false.
EngineSnapshot busy_engine() {
    EngineSnapshot engine;
    engine.state = EngineState::draining;
    engine.uptime = milliseconds{1'500};
    engine.connections = {.connecting = 1, .open = 2, .draining = 3, .lingering = 4};
    engine.in_flight = 5;
    engine.counters.closed[static_cast<std::size_t>(CloseReason::stop_forced)] = 6;
    engine.loops = {{.index = 0, .connections = 7, .busy = milliseconds{20}, .callback = "task"}};
    engine.listeners = {
        {.endpoint = *Endpoint::parse("tcp://127.0.0.1:0"), .is_open = true, .accept_queue = 8}};
    engine.stop = {.is_requested = true, .requested_by = "api", .elapsed = seconds{1}, .left = {}};
    engine.stops[static_cast<std::size_t>(StopOutcome::forced)] = 9;
    engine.drain_seconds.buckets = {0, 1, 1, 2, 2, 2, 2, 2, 3, 3};
    engine.drain_seconds.sum = seconds{40};
    return engine;
}

std::set<std::string> names_on_the_page() {
    std::ifstream in(test::source_file("docs/reference/metrics.md"));
    std::set<std::string> names;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("| `berth_")) names.insert(line.substr(3, line.find('`', 3) - 3));
    }
    return names;
}

TEST(Metrics, AreWellFormed) {
    EXPECT_THAT(StrictExposition(metrics_text({})).complaints(), testing::IsEmpty());
    EXPECT_THAT(StrictExposition(metrics_text(busy_engine())).complaints(), testing::IsEmpty());
}

TEST(Metrics, SayWhatTheSnapshotSays) {
    const StrictExposition metrics(metrics_text(busy_engine()));
    EXPECT_EQ(metrics.value("berth_state{state=\"draining\"}"), 1);
    EXPECT_EQ(metrics.value("berth_state{state=\"ready\"}"), 0);
    EXPECT_EQ(metrics.value("berth_ready"), 0);
    EXPECT_EQ(metrics.value("berth_uptime_seconds"), 1.5);
    EXPECT_EQ(metrics.value("berth_connections{state=\"lingering\"}"), 4);
    EXPECT_EQ(metrics.value("berth_in_flight"), 5);
    EXPECT_EQ(metrics.value("berth_closed_total{reason=\"stop_forced\"}"), 6);
    EXPECT_EQ(metrics.value("berth_loop_lag_seconds{loop=\"0\"}"), 0.02);
    EXPECT_EQ(metrics.value("berth_accept_queue{listener=\"tcp://127.0.0.1:0\"}"), 8);
    EXPECT_EQ(metrics.value("berth_stops_total{outcome=\"forced\"}"), 9);
    EXPECT_EQ(metrics.value("berth_drain_seconds_bucket{le=\"0.001\"}"), 1);
    EXPECT_EQ(metrics.value("berth_drain_seconds_count"), 3);
    EXPECT_EQ(metrics.value("berth_drain_seconds_sum"), 40);
}

TEST(Metrics, AreOnTheirPageAndNoOthers) {
    std::set<std::string> written;
    const StrictExposition metrics(metrics_text({}));
    for (const auto& [name, family] : metrics.families()) {
        written.insert(name);
    }
    EXPECT_EQ(written, names_on_the_page());
}

TEST(Exposition, EscapesLabels) {
    Exposition out;
    out.family("berth_x", MetricType::gauge, "Help.")
        .sample(std::uint64_t{1}, {{"path", "unix:/a\"b\\c\nd"}});
    EXPECT_EQ(out.text(),
              "# HELP berth_x Help.\n# TYPE berth_x gauge\n"
              "berth_x{path=\"unix:/a\\\"b\\\\c\\nd\"} 1\n");
    EXPECT_THAT(StrictExposition(out.text()).complaints(), testing::IsEmpty());
}

// The reader must be able to say no.
TEST(StrictExposition, ComplainsAboutWhatIsWrong) {
    const auto complains = [](const std::string& text) {
        return !StrictExposition(text).complaints().empty();
    };
    const std::string head = "# HELP berth_x Help.\n# TYPE berth_x gauge\n";
    EXPECT_FALSE(complains(head + "berth_x 1\n"));
    EXPECT_TRUE(complains("berth_x 1\n")) << "no family";
    EXPECT_TRUE(complains(head + "berth_x 1")) << "no line end";
    EXPECT_TRUE(complains(head + "berth_y 1\n"));
    EXPECT_TRUE(complains(head + "berth_x 1\nberth_x 2\n"));
    EXPECT_TRUE(complains(head + "berth_x{a=\"b} 1\n"));
    EXPECT_TRUE(complains(head + "berth_x{a=\"\\b\"} 1\n"));
    EXPECT_TRUE(complains(head + "berth_x one\n"));
    EXPECT_TRUE(complains("# HELP berth_x Help.\n# TYPE berth_x counter\nberth_x 1\n"));
    EXPECT_TRUE(
        complains("# HELP berth_x Help.\n# TYPE berth_x histogram\n"
                  "berth_x_bucket{le=\"1\"} 2\nberth_x_bucket{le=\"+Inf\"} 1\n"
                  "berth_x_sum 1\nberth_x_count 1\n"));
}

}  // namespace
}  // namespace berth::observe
