// SPDX-License-Identifier: MIT
//
// Starting: what is refused, by which name, and that nothing is left of it.

#include "integration/support_engine.hpp"

#include <berth/run.hpp>

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

namespace berth::test {
namespace {

using std::chrono::seconds;

class Starting : public AnEngine {
protected:
    Error refused(const std::vector<std::string>& addresses) {
        const auto started = make_engine(script)->start(addresses);
        EXPECT_FALSE(started) << "it started at " << addresses.front();
        return started ? Error(ErrorCode::internal, "none") : started.error();
    }
};

TEST_P(Starting, EveryOptionOutOfRangeIsRefusedByItsName) {
    const std::array<std::pair<const char*, Options>, 14> wrong{{
        {"backlog", {.backlog = 0}},
        {"output_high", {.output_high = 2U << 20U, .output_max = 1U << 20U}},
        {"input_max", {.input_max = 0}},
        {"idle_timeout", {.idle_timeout = -seconds{1}}},
        {"linger", {.linger = -seconds{1}}},
        {"read_budget", {.read_budget = 0}},
        {"drain", {.drain = -seconds{1}}},
        {"busy_poll", {.busy_poll = -seconds{1}}},
        {"address_connections_max", {.address_connections_max = std::size_t{1} << 24U}},
        {"accept_rate_max", {.accept_rate_max = 1'000'001}},
        {"accept_burst_max", {.accept_rate_max = 1, .accept_burst_max = 1'000'001}},
        {"accept_burst_max", {.accept_burst_max = 1}},
        {"unix_mode", {.unix_mode = 01777}},
        {"busy_poll", {.busy_poll = seconds{1}}},
    }};
    for (const auto& [name, asked] : wrong) {
        options = asked;
        options.logger = &journal;
        const Error error = refused({address()});
        EXPECT_EQ(error.code(), ErrorCode::invalid_option) << name;
        EXPECT_NE(error.to_string().find(name), std::string::npos) << error.to_string();
    }
    EXPECT_TRUE(script.calls().empty());
}

TEST_P(Starting, BusyPollOutOfRangeIsRefusedWithARemedy) {
    options.busy_poll = seconds{1};
    EXPECT_NE(refused({address()}).remedy().find("50 us"), std::string::npos);
}

TEST_P(Starting, AddressOfAnotherMachineIsRefusedWithARemedy) {
    const Error error = refused({"tcp://192.0.2.1:0"});  // RFC 5737: nobody's
    EXPECT_EQ(error.code(), ErrorCode::address_not_local);
    EXPECT_NE(error.remedy().find("ip address"), std::string::npos);
}

TEST_P(Starting, DriverThatIsAskedForIsUsedOrRefusedWithARemedy) {
    options.driver = DriverKind::uring;
    Engine uring(script, options);
    const auto started = uring.start(address());
    if (started) {
        EXPECT_TRUE(uring.driver_description().starts_with("uring")) << uring.driver_description();
        return;
    }
    EXPECT_EQ(started.error().code(), ErrorCode::driver_unavailable);
    EXPECT_FALSE(started.error().remedy().empty());
    EXPECT_EQ(uring.state(), EngineState::failed);
}

TEST_P(Starting, WhatDidNotStartIsNotWaitedFor) {
    const auto engine = make_engine(script);
    ASSERT_FALSE(engine->start("tcp://nonsense"));
    const auto waited = engine->wait();
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code(), ErrorCode::not_running);
}

TEST_P(Starting, RunReportsAFailureToTheLogger) {
    const RunResult result = run(script, "tcp://nonsense", options);
    EXPECT_FALSE(result.started());
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_address);
    EXPECT_TRUE(journal.has(LogLevel::error, "tcp://nonsense"));
}

TEST_P(Starting, RunWithoutALoggerReportsToTheDefaultOne) {
    default_logger();  // made before, so that what it makes is not counted as left behind
    testing::internal::CaptureStderr();
    EXPECT_FALSE(run(script, "tcp://nonsense", {}).started());
    EXPECT_NE(testing::internal::GetCapturedStderr().find("tcp://nonsense"), std::string::npos);
}

TEST_P(Starting, WithoutNoDelayItServesAndConnectsToo) {
    options.no_delay = false;
    script.traffic = echo;
    start();
    on_loop([&](EventLoop& loop) { ASSERT_TRUE(loop.connect(target(), within(patience()))); });
    opened(1);
    RawPeer peer = connect();
    peer.send("slowly");
    EXPECT_EQ(peer.read(6), "slowly");
}

class StartingDeathTest : public AnEngine {};  // what is stuck stays for ever

TEST_P(StartingDeathTest, EngineWhoseHandlerIsStuckIsNotStartedAgain) {
    const auto run = [&] {
        ::alarm(20);
        Gate never;
        script.open = [&](Connection&) {
            while (!never.pass()) {
            }
            return Action::none;
        };
        start();
        const RawPeer peer = connect();
        opened();
        engine().request_stop(engine().now());
        static_cast<void>(engine().wait());
        const auto again = engine().start(address());
        const bool is_refused = !again && again.error().code() == ErrorCode::already_running &&
                                again.error().detail().find("handler") != std::string::npos;
        std::_Exit(is_refused ? 0 : 1);
    };
    EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

BERTH_FOR_EACH_DRIVER(Starting);
BERTH_FOR_EACH_DRIVER(StartingDeathTest);

}  // namespace
}  // namespace berth::test
