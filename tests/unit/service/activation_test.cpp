// SPDX-License-Identifier: MIT
//
// Activation: what the variables may say, and what they may not. The sockets themselves:
// tests/lifecycle/activation_test.cpp, because their numbers are those of a fresh process.

#include "service/activation.hpp"

#include "service/variables.hpp"

#include <berth/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace berth::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Variables given(const std::string& count, const std::string& names = "") {
    return {.process = 7,
            .notify_socket = {},
            .watchdog_usec = {},
            .watchdog_pid = {},
            .listen_pid = "7",
            .listen_fds = count,
            .listen_fdnames = names};
}

TEST(Activation, NamesEachSocket) {
    EXPECT_THAT(inherited_names(given("2", "web:admin")).value(), ElementsAre("web", "admin"));
    EXPECT_THAT(inherited_names(given("2", ":")).value(), ElementsAre("", ""));
    EXPECT_THAT(inherited_names(given("2")).value(), ElementsAre("unknown", "unknown"));
    EXPECT_THAT(inherited_names(given("0")).value(), IsEmpty());
}

TEST(Activation, IsForTheProcessThatIsNamed) {
    for (const char* pid : {"", "8", "07", "7 ", "-7", "7x"}) {
        Variables variables = given("1");
        variables.listen_pid = pid;
        EXPECT_THAT(inherited_names(variables).value(), IsEmpty()) << pid;
    }
}

TEST(Activation, RefusesWhatIsNoCount) {
    for (const char* count : {"", "-1", "x", "1x", " 1", "99999", "18446744073709551616"}) {
        const auto names = inherited_names(given(count));
        ASSERT_FALSE(names) << count;
        EXPECT_EQ(names.error().code(), ErrorCode::invalid_option);
        EXPECT_THAT(names.error().to_string(), HasSubstr("LISTEN_FDS"));
    }
}

TEST(Activation, RefusesNamesThatDoNotCount) {
    for (const char* names : {"web", "a:b:c", "a::b"}) {
        const auto split = inherited_names(given("2", names));
        ASSERT_FALSE(split) << names;
        EXPECT_THAT(split.error().to_string(), HasSubstr("LISTEN_FDNAMES"));
    }
}

}  // namespace
}  // namespace berth::service
