// SPDX-License-Identifier: MIT
//
// gnet's start-up scenarios: default callbacks, bad addresses, two engines with a logger each,
// ticks. docs/internals/gnet-scenarios.md maps each test.

#include "integration/support_engine.hpp"

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;

class GnetStart : public AnEngine {};

// TestDefaultGnetServer
TEST_P(GnetStart, DefaultCallbacksServeAndEnd) {
    EventHandler nothing;
    const auto engine = make_engine(nothing);
    ASSERT_TRUE(engine->start(address()));
    RawPeer peer = connect_to(engine->endpoints().at(0));
    ASSERT_TRUE(eventually([&] { return engine->connection_count() == 1; }));
    peer.send("nobody reads this");
    const auto report = engine->stop();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::clean);
    EXPECT_EQ(peer.read_to_end(), "");
}

// TestBadAddresses
TEST_P(GnetStart, BadAddressesFailBeforeOnBoot) {
    const auto engine = make_engine(script);
    for (const char* bad : {"tulip://howdy", "howdy", "tcp://", "tcp://localhost:0/foo", "unix://",
                            ":foo", "tcp://127.0.0.1\n"}) {
        const auto started = engine->start(bad);
        ASSERT_FALSE(started) << bad;
        EXPECT_EQ(started.error().code(), ErrorCode::invalid_address) << bad;
    }
    EXPECT_EQ(script.calls().size(), 0U);
}

// TestMultiInstLoggerRace: gnet's logger is one for the process, and the last engine's.
TEST_P(GnetStart, TwoEnginesAtOnceReportToTheirOwnLoggers) {
    struct Instance {
        Script script;
        Journal journal;
        Options options;
        std::string name;
    };
    std::array<Instance, 2> instances;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < 2; ++i) {
        Instance& self = instances.at(i);
        self.options = options;
        self.options.logger = &self.journal;
        self.name = "tulip" + std::to_string(i);
        self.script.loop_start = [&self](EventLoop&) { throw std::runtime_error(self.name); };
        threads.emplace_back([&self] {
            Engine engine(self.script, self.options);
            const auto started = engine.start(self.name + "://howdy");
            EXPECT_EQ(started.error().code(), ErrorCode::invalid_address);
            EXPECT_TRUE(engine.start("tcp://127.0.0.1:0"));
            EXPECT_TRUE(engine.stop());
        });
    }
    threads.clear();
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(instances.at(i).journal.has(LogLevel::error, instances.at(i).name));
        EXPECT_FALSE(instances.at(i).journal.has(LogLevel::error, instances.at(1 - i).name));
        EXPECT_NE(instances.at(i).journal.last(), "") << "of its own stop";
    }
}

// TestTick
TEST_P(GnetStart, TickEndsTheEngineAfterTwentySix) {
    int ticks = 0;
    script.tick = [&](EventLoop& loop) -> Duration {
        if (++ticks == 26) {
            loop.engine().request_stop();
            return kNever;
        }
        return milliseconds{1};
    };
    start();
    const auto report = engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::clean);
    EXPECT_EQ(ticks, 26);
}

// OnTick runs beside gnet's loops; ours runs on them.
TEST_P(GnetStart, TickRunsOnItsLoopsThread) {
    options.loops = 2;
    std::array<std::atomic<std::thread::id>, 2> started;
    std::atomic<int> right = 0;
    script.loop_start = [&](EventLoop& loop) {
        started.at(loop.index()) = std::this_thread::get_id();
    };
    script.tick = [&](EventLoop& loop) -> Duration {
        if (started.at(loop.index()).load() == std::this_thread::get_id()) ++right;
        return kNever;
    };
    start();
    EXPECT_TRUE(eventually([&] { return right == 2; }));
    stop();
}

BERTH_FOR_EACH_DRIVER(GnetStart);

}  // namespace
}  // namespace berth::test
