// SPDX-License-Identifier: MIT
//
// PortDiagnosis as text and as JSON, and as part of an Error.

#include <berth/port.hpp>
#include <berth/result.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <string>

namespace berth {
namespace {

using namespace std::chrono_literals;

PortDiagnosis held() {
    PortDiagnosis port;
    port.endpoint = Endpoint::parse("tcp://127.0.0.1:9000").value();
    port.is_free = false;
    port.cause = PortCause::live_listener;
    port.errno_value = EADDRINUSE;
    port.holders = {{.pid = 4711,
                     .command = "nginx",
                     .executable = "/usr/sbin/nginx",
                     .uid = 33,
                     .user = "www-data",
                     .fd = 6,
                     .inode = 12345,
                     .since = std::chrono::sys_days{2026y / 11 / 5} + 9h + 5min + 7s}};
    port.states = {{.state = "LISTEN", .count = 1},
                   {.state = "TIME_WAIT", .count = 3, .timer_max = 42s + 300ms}};
    port.evidence = "nginx listens there";
    port.remedy = "`kill 4711`";
    return port;
}

TEST(PortText, SaysWhoHoldsTheAddressAndWhatToDo) {
    EXPECT_EQ(held().to_string(),
              "tcp://127.0.0.1:9000 is held by nginx (pid 4711, user www-data, since "
              "2026-11-05 09:05:07 UTC)\n"
              "  cause:     LiveListener, proven\n"
              "  evidence:  nginx listens there\n"
              "  sockets:   1 LISTEN, 3 TIME_WAIT (longest 43 s)\n"
              "  remedy:    `kill 4711`");
}

TEST(PortText, CountsTheOtherProcesses) {
    PortDiagnosis port = held();
    port.holders.push_back(port.holders.front());
    EXPECT_EQ(port.to_string().find("more"), std::string::npos) << "one process, two descriptors";
    port.holders.back().pid = 4712;
    EXPECT_NE(port.to_string().find("UTC) and 1 more\n"), std::string::npos);
}

TEST(PortText, SaysWhenToTryAgain) {
    PortDiagnosis port = held();
    port.holders.clear();
    port.retry_after = 50ms;
    EXPECT_TRUE(port.to_string().starts_with("tcp://127.0.0.1:9000 is taken\n"));
    EXPECT_TRUE(port.to_string().ends_with("\n  try again: after 50 ms")) << port.to_string();
}

TEST(PortText, SaysThatAnAddressIsFree) {
    PortDiagnosis port;
    port.endpoint = held().endpoint;
    EXPECT_EQ(port.to_string(), "tcp://127.0.0.1:9000 is free");
}

TEST(PortText, WritesTheContractsJson) {
    EXPECT_EQ(held().to_json(),
              R"({"address":"tcp://127.0.0.1:9000","state":"busy","cause":"LiveListener",)"
              R"("certainty":"proven","since":"2026-11-05T09:05:07Z","holders":[{"pid":4711,)"
              R"("command":"nginx","executable":"/usr/sbin/nginx","uid":33,"user":"www-data",)"
              R"("fd":6,"inode":12345,"since":"2026-11-05T09:05:07Z"}],)"
              R"("states":{"LISTEN":1,"TIME_WAIT":3},"timers_ms":{"TIME_WAIT":42300.000},)"
              R"("errno":98,"evidence":"nginx listens there","remedy":"`kill 4711`"})");
}

TEST(PortText, NamesEachCauseDifferently) {
    std::set<std::string_view> names;
    for (int cause = 0; cause <= static_cast<int>(PortCause::unknown); ++cause) {
        names.insert(to_string(static_cast<PortCause>(cause)));
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(PortCause::unknown) + 1);
    EXPECT_TRUE(names.contains("EphemeralCollision"));
}

TEST(PortText, StandsInTheLineOfAnError) {
    const Error error =
        Error::from_errno("bind", EADDRINUSE).at("tcp://127.0.0.1:9000").held_by(held());
    EXPECT_EQ(error.to_string(),
              "address in use: tcp://127.0.0.1:9000 is held by nginx (pid 4711, user www-data, "
              "since 2026-11-05 09:05:07 UTC): nginx listens there; fix: `kill 4711`");
    EXPECT_EQ(error.remedy(), "`kill 4711`");
    ASSERT_NE(error.port(), nullptr);
    EXPECT_EQ(error.port()->cause, PortCause::live_listener);
    const Error copy = error;
    ASSERT_NE(copy.port(), nullptr);
    EXPECT_EQ(copy.to_string(), error.to_string());
}

}  // namespace
}  // namespace berth
