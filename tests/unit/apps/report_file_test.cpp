// SPDX-License-Identifier: MIT
//
// Report file: a whole report or none, and nothing left beside it.

#include "report_file.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace berth::app;
using berth::test::TempDir;

std::string content_of(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::ptrdiff_t files_in(const TempDir& folder) {
    return std::distance(std::filesystem::directory_iterator(folder.path()), {});
}

TEST(ReportFile, HoldsTheReportAndReplacesWhatWasThere) {
    const TempDir folder;
    const std::string file = folder.file("report.json");
    std::ofstream(file) << "an older report";
    const berth::StopReport report;
    ASSERT_TRUE(write_report(report, file));
    EXPECT_EQ(content_of(file), report.to_json() + "\n");
    EXPECT_EQ(files_in(folder), 1);
}

TEST(ReportFile, KeepsASymbolicLink) {
    const TempDir folder;
    std::ofstream(folder.file("target.json")) << "old";
    std::filesystem::create_symlink("target.json", folder.file("link.json"));
    ASSERT_TRUE(write_report({}, folder.file("link.json")));
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link.json")));
    EXPECT_NE(content_of(folder.file("target.json")), "old");
}

TEST(ReportFile, SaysWhyItCouldNotBeWritten) {
    const TempDir folder;
    const auto written = write_report({}, folder.file("missing/report.json"));
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().find("missing/report.json"), std::string::npos);
}

TEST(ReportFile, AcceptsAPlaceWhereAReportCouldBe) {
    const TempDir folder;
    EXPECT_TRUE(check_report_place(folder.file("new.json")));
    EXPECT_TRUE(check_report_place("in-the-working-folder.json"));
    EXPECT_FALSE(check_report_place(folder.path()));
    EXPECT_FALSE(check_report_place(folder.file("no/such.json")));
    EXPECT_FALSE(check_report_place("/dev/null"));
}

}  // namespace
