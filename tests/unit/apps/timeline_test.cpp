// SPDX-License-Identifier: MIT
//
// Timeline: reports become pictures; what is not a report is said to be none.

#include "timeline.hpp"

#include "exit_status.hpp"
#include "stop_picture.hpp"
#include "support/temp_dir.hpp"

#include <berth/report.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace berth::app;

StopStory story() {
    return {.outcome = "forced",
            .requested_by = "signal 15",
            .deadline_ms = 500,
            .duration_ms = 520,
            .phases = {{"quiesce", 0, 1.5}, {"drain", 1.5, 498.5}, {"force", 500, 20}},
            .samples = {{0, 10, 0, 0}, {100, 2, 3, 5}, {520, 0, 0, 0}}};
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(Timeline, ShowsEveryPhaseAndEveryState) {
    const std::string picture = draw(story());
    for (const char* shown : {"quiesce", "drain", "force", "serving", "flushing", "lingering",
                              "Stop by signal 15: forced in 520 ms", "1.50 ms", "deadline"}) {
        EXPECT_NE(picture.find(shown), std::string::npos) << shown;
    }
    EXPECT_EQ(count_of(picture, "<polygon"), 3u);
    EXPECT_EQ(picture, draw(story())) << "always the same";
}

TEST(Timeline, LeavesOutADeadlineThatWasFarAway) {
    StopStory quick = story();
    quick.deadline_ms = 30'000;
    EXPECT_EQ(draw(quick).find("deadline"), std::string::npos);
}

TEST(Timeline, DrawsAStopOfNobodyInNoTime) {
    const std::string picture = draw({.outcome = "clean",
                                      .requested_by = "api",
                                      .deadline_ms = 0,
                                      .duration_ms = 0,
                                      .phases = {},
                                      .samples = {}});
    EXPECT_EQ(picture.find("nan"), std::string::npos);
    EXPECT_EQ(picture.find("inf"), std::string::npos);
    EXPECT_TRUE(picture.ends_with("</svg>\n"));
}

TEST(Timeline, CannotBeBrokenByWhatAReportSays) {
    StopStory hostile = story();
    hostile.requested_by = "<script>&\"";
    EXPECT_EQ(draw(hostile).find("<script>"), std::string::npos);
    EXPECT_NE(draw(hostile).find("&lt;script&gt;&amp;&quot;"), std::string::npos);
}

TEST(Timeline, ReadsWhatTheLibraryWrites) {
    berth::StopReport report;
    report.requested_by = "api";
    report.duration = std::chrono::milliseconds{7};
    report.phases = {{.name = "drain", .start = {}, .duration = std::chrono::milliseconds{5}}};
    report.samples = {{.at = std::chrono::milliseconds{1}, .serving = 3}};
    const auto read = parse_report(report.to_json());
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->requested_by, "api");
    EXPECT_EQ(read->duration_ms, 7);
    EXPECT_EQ(read->phases.at(0).name, "drain");
    EXPECT_EQ(read->samples.at(0).serving, 3u);
}

TEST(Timeline, RefusesWhatIsNoReport) {
    const std::pair<const char*, const char*> refusals[] = {
        {"", "not JSON"},
        {"[]", "not an object"},
        {"{}", "not a stop report"},
        {R"({"version": 2})", "version 2"},
        {R"({"version": "1"})", "not a stop report"},
        {R"({"version": 1, "outcome": "clean"})", "not a stop report"},
    };
    for (const auto& [text, said] : refusals) {
        const auto read = parse_report(text);
        ASSERT_FALSE(read) << text;
        EXPECT_NE(read.error().find(said), std::string::npos) << read.error();
    }
}

TEST(Timeline, WritesThePictureToAFile) {
    const berth::test::TempDir folder;
    std::ofstream(folder.file("stop.json")) << berth::StopReport().to_json();
    EXPECT_EQ(timeline({folder.file("stop.json"), folder.file("stop.svg")}), kSucceeded);
    std::ifstream written(folder.file("stop.svg"));
    const std::string picture{std::istreambuf_iterator<char>(written), {}};
    EXPECT_TRUE(picture.starts_with("<svg"));
}

TEST(Timeline, SaysWhichFileIsWrong) {
    const berth::test::TempDir folder;
    testing::internal::CaptureStderr();
    EXPECT_EQ(timeline({folder.file("none.json"), {}}), kFailed);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("none.json"), std::string::npos);
}

}  // namespace
