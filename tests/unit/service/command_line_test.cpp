// SPDX-License-Identifier: MIT
//
// command_line: how a process was started, from what /proc says.

#include "service/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace berth::service {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(OwnCommandLine, IsSplitIntoWordsThatMayBeEmpty) {
    EXPECT_THAT(command_words("berth\0serve\0\0--x=1 2\0"sv),
                ElementsAre("berth", "serve", "", "--x=1 2"));
    EXPECT_THAT(command_words(""), IsEmpty());
    EXPECT_THAT(command_words("no end"), ElementsAre("no end"));
}

TEST(OwnCommandLine, NamesTheFileThatTookThePlaceOfTheProgram) {
    EXPECT_EQ(program_file("/usr/bin/berth (deleted)"), "/usr/bin/berth");
    EXPECT_EQ(program_file("/opt/a b"), "/opt/a b");
}

TEST(OwnCommandLine, BeginsWithAFileThatCanBeStarted) {
    const auto words = own_command_line();
    ASSERT_FALSE(words.empty());
    EXPECT_TRUE(words.front().starts_with('/')) << words.front();
}

}  // namespace
}  // namespace berth::service
