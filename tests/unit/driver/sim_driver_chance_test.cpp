// SPDX-License-Identifier: MIT
//
// SimDriver: what chance decides, and that it decides the same from the same seed.

#include "unit/driver/sim_scene.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace berth::driver::sim::test {
namespace {

using Log = SimScene::Log;

// Three peers that send and leave, heard to the end.
Log conversation(std::uint64_t seed) {
    SimScene scene{{.partial_receive = 2, .late_completion = 2, .cut_short_poll = 2}, seed};
    for (const char* name : {"a", "b", "c"}) {
        const Descriptor peer = scene.connect_peer();
        scene.receiving(name);
        scene.send(peer, "some bytes, in pieces");
        scene.peers.close(peer);
    }
    const auto has_ended = [](const std::string& line) { return line.contains("receive_end"); };
    while (std::ranges::count_if(scene.sink.log, has_ended) < 3) scene.poll();
    return scene.sink.log;
}

TEST(SimDriver, RepeatsItselfFromItsSeed) {
    std::set<Log> different;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const Log log = conversation(seed);
        EXPECT_EQ(conversation(seed), log);
        different.insert(log);
    }
    EXPECT_GT(different.size(), 5u);
}

TEST(SimDriver, LetsEitherOfTwoBeFirst) {
    std::set<Log> orders;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimScene scene{{}, seed};
        const std::array peers{scene.connect_peer(), scene.connect_peer()};
        scene.receiving("a");
        scene.receiving("b");
        for (const Descriptor peer : peers) scene.send(peer, "1");
        scene.poll();
        orders.insert(scene.sink.log);
    }
    EXPECT_EQ(orders,
              (std::set<Log>{{"a received 1", "b received 1"}, {"b received 1", "a received 1"}}));
}

TEST(SimDriver, PutsACompletionOffOnceAndSaysSo) {
    SimScene scene{{.late_completion = 1}};
    const Descriptor peer = scene.connect_peer();
    scene.receiving("it");
    scene.send(peer, "late");
    scene.poll();
    EXPECT_EQ(scene.sink.log, Log{});
    EXPECT_FALSE(scene.driver->delivered_all());
    EXPECT_TRUE(scene.driver->is_ready());
    scene.poll();
    EXPECT_EQ(scene.sink.log, Log{"it received 4"});
    EXPECT_TRUE(scene.driver->delivered_all());
}

TEST(SimDriver, PutsAClosingOffOnceAndSaysSo) {
    SimScene scene{{.late_completion = 1}};
    scene.connect_peer();
    scene.driver->close(scene.receiving("it"), Ending::orderly);
    scene.poll();
    EXPECT_EQ(scene.sink.log, Log{});
    EXPECT_FALSE(scene.driver->delivered_all());
    EXPECT_TRUE(scene.driver->is_ready());
    scene.poll();
    EXPECT_EQ(scene.sink.log, Log{"it closed 0"});
}

TEST(SimDriver, SaysThatItWasCutShort) {
    SimScene scene{{.cut_short_poll = 1}};
    for (const char* name : {"a", "b"}) {
        const Descriptor peer = scene.connect_peer();
        scene.receiving(name);
        scene.send(peer, "1");
    }
    scene.poll();
    EXPECT_EQ(scene.sink.log.size(), 1u);
    EXPECT_FALSE(scene.driver->delivered_all());
    scene.poll();
    EXPECT_EQ(scene.sink.log.size(), 2u);
    EXPECT_TRUE(scene.driver->delivered_all());
}

TEST(SimDriver, GoesOnAcceptingAfterAnAbortedConnection) {
    SimScene scene;
    ASSERT_TRUE(scene.driver->start_accept(scene.listener));
    scene.kernel.change_weather({.aborted_accept = 1});
    scene.connect_peer();
    scene.poll();
    EXPECT_EQ(scene.sink.log, Log{"accept_error " + std::to_string(ECONNABORTED)});
    scene.kernel.change_weather({});
    scene.connect_peer();
    scene.poll();
    EXPECT_EQ(scene.sink.accepted.size(), 1u);
}

TEST(SimDriver, LetsAConnectionComeWhenAcceptingIsStopped) {
    std::set<std::size_t> accepted;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimScene scene{{}, seed};
        ASSERT_TRUE(scene.driver->start_accept(scene.listener));
        scene.connect_peer();
        scene.driver->stop_accept(scene.listener);
        scene.poll();
        EXPECT_EQ(scene.sink.log.back(), "accept_end 0");
        accepted.insert(scene.sink.accepted.size());
    }
    EXPECT_EQ(accepted, (std::set<std::size_t>{0, 1}));
}

}  // namespace
}  // namespace berth::driver::sim::test
