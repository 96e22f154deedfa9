// SPDX-License-Identifier: MIT
//
// The default logger: what it writes, from which level on, and to whom.
//
// Method: it reads the environment once per process, so each test logs in a child of its own
// (a death test that starts the program anew) and looks at the child's stderr.

#include <berth/logger.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace berth {
namespace {

class DefaultLoggerDeathTest : public testing::Test {
protected:
    DefaultLoggerDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
    ~DefaultLoggerDeathTest() override { GTEST_FLAG_SET(death_test_style, earlier_style_); }

    [[noreturn]] static void log_all(const char* threshold, const char* journal_stream = "") {
        // NOLINTBEGIN(misc-include-cleaner): POSIX; in <cstdlib>, which the check cannot know.
        setenv("BERTH_LOG", threshold, 1);
        setenv("JOURNAL_STREAM", journal_stream, 1);
        // NOLINTEND(misc-include-cleaner)
        default_logger().log(LogLevel::debug, "d");
        default_logger().log(LogLevel::info, "i");
        default_logger().log(LogLevel::warning, "w");
        default_logger().log(LogLevel::error, "e");
        default_logger().log(LogLevel::off, "o");
        std::exit(0);
    }

private:
    const std::string earlier_style_ = GTEST_FLAG_GET(death_test_style);
};

TEST_F(DefaultLoggerDeathTest, WritesWarningsAndErrorsByDefault) {
    EXPECT_EXIT(log_all(""), testing::ExitedWithCode(0), "^berth: warning: w\nberth: error: e\n$");
}

TEST_F(DefaultLoggerDeathTest, WritesFromTheLevelThatTheEnvironmentNames) {
    EXPECT_EXIT(log_all("info"), testing::ExitedWithCode(0),
                "^berth: info: i\nberth: warning: w\nberth: error: e\n$");
}

TEST_F(DefaultLoggerDeathTest, WritesNothingWhenOff) {
    EXPECT_EXIT(log_all("off"), testing::ExitedWithCode(0), "^$");
}

TEST_F(DefaultLoggerDeathTest, PrefixesPrioritiesForTheJournal) {
    EXPECT_EXIT(log_all("debug", "8:1234"), testing::ExitedWithCode(0),
                "^<7>d\n<6>i\n<4>w\n<3>e\n$");
}

TEST_F(DefaultLoggerDeathTest, SaysThatALevelIsNotKnownAndWarns) {
    EXPECT_EXIT(log_all("loud"), testing::ExitedWithCode(0),
                "^berth: warning: BERTH_LOG=loud is none of .*\nberth: warning: w\n");
}

}  // namespace
}  // namespace berth
