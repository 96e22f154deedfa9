// SPDX-License-Identifier: MIT
//
// Handing over: the next generation accepts on the same sockets, and nobody notices.

#include "integration/support_generations.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace berth::test {
namespace {

class Handover : public Generations {};

TEST_F(Handover, GivesTheListenersToWhoStartsWithTheSamePath) {
    Generation old(without_probation());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    const auto started = young.start({old.address()});
    ASSERT_TRUE(started) << started.error().to_string();
    EXPECT_TRUE(young.engine().is_ready());
    EXPECT_EQ(young.address(), old.address());
    const auto report = old.engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::handed_over) << report->to_string();
    EXPECT_EQ(report->requested_by, "handover");
    RawPeer client = connect(young);
    EXPECT_EQ(said_back(client), "hello");
    EXPECT_EQ(young.script.count("on_open"), 1U);
}

TEST_F(Handover, GivesAListenerThatWasAddedToWhoAsksForIt) {
    Generation old(without_probation());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    ASSERT_TRUE(old.engine().add_listener(kAnyPort.front()));
    EXPECT_TRUE(eventually([&] { return old.says(old.address(1) + " added"); }));
    const auto started = young.start({old.address(0), old.address(1)});
    ASSERT_TRUE(started) << started.error().to_string();
    for (const std::size_t listener : {0U, 1U}) {
        RawPeer client = connect(young, listener);
        EXPECT_EQ(said_back(client), "hello");
    }
    const auto report = old.engine().wait();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, StopOutcome::handed_over) << report->to_string();
}

TEST_F(Handover, CountsGenerations) {
    Generation first(without_probation());
    Generation second(without_probation());
    Generation third(options());
    ASSERT_TRUE(first.start(kAnyPort));
    ASSERT_TRUE(second.start({first.address()}));
    ASSERT_TRUE(is_in(first, EngineState::stopped));
    ASSERT_TRUE(eventually([&] { return second.says("step=predecessor_ended"); }));
    ASSERT_TRUE(third.start({second.address()}));
    EXPECT_EQ(first.handovers().generation, 0U);
    EXPECT_EQ(second.handovers().generation, 1U);
    EXPECT_EQ(third.handovers().generation, 2U);
    EXPECT_TRUE(eventually([&] { return second.handovers().committed == 1; }));
}

TEST_F(Handover, ServesItsConnectionsUnchangedDuringProbation) {
    Generation old(options());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    RawPeer client = connect(old);
    EXPECT_EQ(said_back(client), "hello");
    ASSERT_TRUE(young.start({old.address()}));
    EXPECT_TRUE(is_in(old, EngineState::handing_over));
    EXPECT_EQ(said_back(client, "still here"), "still here");
    EXPECT_EQ(old.script.count("on_drain"), 0U);
}

TEST_F(Handover, AcceptsNobodyAnyMoreOnceItHasCommitted) {
    Generation old(options());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    ASSERT_TRUE(young.start({old.address()}));
    for (int i = 0; i < 8; ++i) {
        RawPeer client = connect(young);
        EXPECT_EQ(said_back(client), "hello");
    }
    EXPECT_EQ(old.script.count("on_open"), 0U);
    EXPECT_EQ(young.script.count("on_open"), 8U);
}

// Clients that are in a listener's queue when nobody accepts yet belong to whoever accepts next.
TEST_F(Handover, LosesNoClientWhileTheyConnectAllTheTime) {
    Generation old(without_probation());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    const Endpoint target = old.endpoint();
    std::atomic<bool> is_over = false;
    std::size_t served = 0;
    std::size_t lost = 0;
    std::thread clients([&] {
        while (!is_over) {
            RawPeer client = RawPeer::connect(target);
            ++(said_back(client) == "hello" ? served : lost);
        }
    });
    ASSERT_TRUE(eventually([&] { return old.script.count("on_open") > 20; }));
    EXPECT_TRUE(young.start({target.to_string()}));
    EXPECT_TRUE(is_in(old, EngineState::stopped));
    EXPECT_TRUE(eventually([&] { return young.script.count("on_open") > 20; }));
    is_over = true;
    clients.join();
    EXPECT_EQ(lost, 0U);
    EXPECT_EQ(served, old.script.count("on_open") + young.script.count("on_open"));
}

TEST_F(Handover, TakesMoreShardsThanItHasLoops) {
    Options many = without_probation();
    many.loops = 4;
    Options one = options();
    one.loops = 1;
    Generation old(many);
    Generation young(one);
    ASSERT_TRUE(old.start(kAnyPort));
    ASSERT_TRUE(young.start({old.address()}));
    ASSERT_TRUE(is_in(old, EngineState::stopped));
    for (int i = 0; i < 16; ++i) {  // whatever shard the kernel chooses
        RawPeer client = connect(young);
        EXPECT_EQ(said_back(client), "hello");
    }
}

TEST_F(Handover, FeedsLoopsThatGotNoShard) {
    Options one = without_probation();
    one.loops = 1;
    Options many = options();
    many.loops = 3;
    Generation old(one);
    Generation young(many);
    ASSERT_TRUE(old.start(kAnyPort));
    ASSERT_TRUE(young.start({old.address()}));
    std::vector<RawPeer> clients;
    for (int i = 0; i < 12; ++i) {
        clients.push_back(connect(young));
        EXPECT_EQ(said_back(clients.back()), "hello");
    }
    for (std::size_t loop = 0; loop < 3; ++loop) {
        const auto on_it = [&](ConnectionId id) { return id.loop() == loop; };
        EXPECT_GT(std::ranges::count_if(young.script.opened(), on_it), 0) << loop;
    }
}

TEST_F(Handover, MatchesPortZeroByWhatWasAsked) {
    Generation old(without_probation());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    ASSERT_TRUE(young.start(kAnyPort));
    EXPECT_EQ(young.address(), old.address());
}

TEST_F(Handover, ReturnsWhatIsNotWantedAndOpensWhatIsNew) {
    Generation old(without_probation());
    Generation young(options());
    ASSERT_TRUE(old.start({"tcp://127.0.0.1:0", "tcp://127.0.0.2:0"}));
    const Endpoint dropped = old.endpoint(1);
    ASSERT_TRUE(young.start({old.address(0), unix_address()}));
    ASSERT_TRUE(is_in(old, EngineState::stopped));
    for (const std::size_t listener : {0U, 1U}) {
        RawPeer client = connect(young, listener);
        EXPECT_EQ(said_back(client), "hello");
    }
    EXPECT_THROW(RawPeer::connect(dropped), std::system_error);
}

TEST_F(Handover, GivesUnixPathsAndTheNewOneRemovesThem) {
    Generation old(without_probation());
    ASSERT_TRUE(old.start({unix_address()}));
    {
        Generation young(options());
        ASSERT_TRUE(young.start({unix_address()}));
        ASSERT_TRUE(is_in(old, EngineState::stopped));
        RawPeer client = connect(young);
        EXPECT_EQ(said_back(client), "hello");
        client.close();
        const auto report = young.engine().stop();
        EXPECT_TRUE(report->ok()) << report->to_string();
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(Handover, RollsBackWhenTheNewOneStopsDuringProbation) {
    Generation old(options());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    ASSERT_TRUE(young.start({old.address()}));
    RawPeer client = connect(young);
    EXPECT_EQ(said_back(client), "hello");
    const auto report = young.engine().stop();
    EXPECT_TRUE(is_in(old, EngineState::ready));
    EXPECT_EQ(old.handovers().rolled_back, 1U);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.ended(), Ended::by_fin);
    RawPeer next = connect(old);
    EXPECT_EQ(said_back(next), "hello");
    EXPECT_EQ(old.script.count("on_open"), 1U);
    EXPECT_EQ(report->outcome, StopOutcome::handed_over) << report->to_string();
}

TEST_F(Handover, CanBeTriedAgainAfterARollback) {
    Generation old(options());
    ASSERT_TRUE(old.start(kAnyPort));
    for (int round = 0; round < 3; ++round) {
        Generation young(options());
        const auto started = young.start({old.address()});
        ASSERT_TRUE(started) << round << ": " << started.error().to_string();
        young.engine().stop().value();
        ASSERT_TRUE(is_in(old, EngineState::ready));
    }
    EXPECT_EQ(old.handovers().rolled_back, 3U);
}

TEST_F(Handover, LeavesTheListenersToTheNewOneWhenTheOldOneStopsDuringProbation) {
    Generation old(options());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    ASSERT_TRUE(young.start({old.address()}));
    const auto report = old.engine().stop();
    EXPECT_EQ(report->outcome, StopOutcome::handed_over) << report->to_string();
    RawPeer client = connect(young);
    EXPECT_EQ(said_back(client), "hello");
    client.close();
    EXPECT_TRUE(young.engine().stop()->ok());
}

TEST_F(Handover, RefusesASecondSuccessor) {
    Generation old(options());
    Generation young(options());
    Generation late(options());
    ASSERT_TRUE(old.start(kAnyPort));
    ASSERT_TRUE(young.start({old.address()}));
    const auto refused = late.start({old.address()});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::handover_failed);
    EXPECT_NE(refused.error().detail().find("has not ended"), std::string::npos)
        << refused.error().to_string();
    EXPECT_TRUE(young.engine().is_ready());
}

TEST_F(Handover, LeavesTheOldOneAloneWhenTheNewOneCannotBoot) {
    Generation old(options());
    Generation young(options());
    young.script.boot = [](Engine&) { throw std::runtime_error("no configuration"); };
    ASSERT_TRUE(old.start(kAnyPort));
    const auto refused = young.start({old.address()});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::handler_failed);
    ASSERT_TRUE(eventually([&] { return old.handovers().failed == 1; }));
    EXPECT_TRUE(old.engine().is_ready());
    RawPeer client = connect(old);
    EXPECT_EQ(said_back(client), "hello");
}

TEST_F(Handover, LeavesAUnixPathToTheOldOneWhenTheNewOneCannotBoot) {
    Generation old(options());
    Generation young(options());
    young.script.boot = [](Engine&) { throw std::runtime_error("no configuration"); };
    ASSERT_TRUE(old.start({unix_address()}));
    ASSERT_FALSE(young.start({unix_address()}));
    RawPeer client = connect(old);
    EXPECT_EQ(said_back(client), "hello");
}

TEST_F(Handover, StartsForItselfWhereNobodyWaits) {
    Generation first(options());
    ASSERT_TRUE(first.start(kAnyPort));
    EXPECT_TRUE(first.engine().stop()->ok());
    EXPECT_FALSE(std::filesystem::exists(path()));
    Generation second(options());
    ASSERT_TRUE(second.start(kAnyPort));
    EXPECT_EQ(second.handovers().generation, 0U);
}

TEST_F(Handover, IsRefusedWhileTheOldOneIsSuspended) {
    Generation old(options());
    Generation young(options());
    ASSERT_TRUE(old.start(kAnyPort));
    old.engine().suspend();
    ASSERT_TRUE(is_in(old, EngineState::suspended));
    const auto refused = young.start({old.address()});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail().find("it is suspended"), std::string::npos)
        << refused.error().to_string();
}

}  // namespace
}  // namespace berth::test
