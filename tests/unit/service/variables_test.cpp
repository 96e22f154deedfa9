// SPDX-License-Identifier: MIT
//
// Variables: read, and removed where they name this process.

#include "service/variables.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace berth::service {
namespace {

constexpr std::int64_t kSelf = 4711;

// The environment as it was, afterwards.
class VariablesTest : public testing::Test {
protected:
    ~VariablesTest() override {
        for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID",
                                 "WATCHDOG_USEC", "KUBERNETES_SERVICE_HOST"}) {
            ::unsetenv(name);
        }
    }
    static void set(const char* name, const char* value) { ::setenv(name, value, 1); }
};

TEST_F(VariablesTest, AreRemovedWhenTheyNameThisProcess) {
    set("LISTEN_PID", "4711");
    set("LISTEN_FDS", "1");
    set("LISTEN_FDNAMES", "web");
    const Variables variables = Variables::take(kSelf);
    EXPECT_EQ(variables.listen_fds, "1");
    EXPECT_EQ(variables.listen_fdnames, "web");
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
        EXPECT_EQ(std::getenv(name), nullptr) << name;
    }
}

TEST_F(VariablesTest, StayWhenTheyNameAnother) {
    set("LISTEN_PID", "1");
    set("LISTEN_FDS", "1");
    set("WATCHDOG_PID", "1");
    EXPECT_EQ(Variables::take(kSelf).listen_pid, "1");
    EXPECT_STREQ(std::getenv("LISTEN_FDS"), "1");
    EXPECT_STREQ(std::getenv("WATCHDOG_PID"), "1");
}

TEST_F(VariablesTest, LeaveTheWatchdogToTheNextGeneration) {
    set("WATCHDOG_PID", "4711");
    set("WATCHDOG_USEC", "1000");
    EXPECT_EQ(Variables::take(kSelf).watchdog_usec, "1000");
    EXPECT_EQ(std::getenv("WATCHDOG_PID"), nullptr);
    EXPECT_STREQ(std::getenv("WATCHDOG_USEC"), "1000");
}

TEST_F(VariablesTest, TellKubernetes) {
    ::unsetenv("KUBERNETES_SERVICE_HOST");
    EXPECT_FALSE(Variables::take(kSelf).is_kubernetes);
    set("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    EXPECT_TRUE(Variables::take(kSelf).is_kubernetes);
}

}  // namespace
}  // namespace berth::service
