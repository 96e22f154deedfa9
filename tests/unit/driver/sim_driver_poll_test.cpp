// SPDX-License-Identifier: MIT
//
// SimDriver: when it is ready, and how its polls move the virtual clock.

#include "unit/driver/sim_scene.hpp"

#include <chrono>

namespace berth::driver::sim::test {
namespace {

using Log = SimScene::Log;

TEST(SimDriver, IsReadyOnceAPeerHasConnected) {
    SimScene scene;
    ASSERT_TRUE(scene.driver->start_accept(scene.listener));
    EXPECT_FALSE(scene.driver->is_ready());
    scene.connect_peer();
    EXPECT_TRUE(scene.driver->is_ready());
    scene.poll();
    EXPECT_EQ(scene.sink.log.size(), 1u);
    EXPECT_FALSE(scene.driver->is_ready());
}

TEST(SimDriver, IsReadyWhenWokenUntilItPolls) {
    SimScene scene;
    scene.driver->wake();
    EXPECT_TRUE(scene.driver->is_ready());
    scene.poll();
    EXPECT_FALSE(scene.driver->is_ready());
}

TEST(SimDriver, IsReadyForInputUnlessPaused) {
    SimScene scene;
    const Descriptor peer = scene.connect_peer();
    Stream& stream = scene.receiving("it");
    scene.send(peer, "hello");
    EXPECT_TRUE(scene.driver->is_ready());
    scene.driver->pause_receive(stream);
    EXPECT_FALSE(scene.driver->is_ready());
    scene.driver->resume_receive(stream);
    scene.poll();
    EXPECT_EQ(scene.sink.log, Log{"it received 5"});
}

TEST(SimDriver, IsReadyToFinishWhatWasStoppedOrClosed) {
    SimScene scene;
    scene.connect_peer();
    Stream& stream = scene.receiving("it");
    ASSERT_TRUE(scene.driver->start_accept(scene.listener));
    EXPECT_FALSE(scene.driver->is_ready());

    scene.driver->close(stream, Ending::orderly);
    EXPECT_TRUE(scene.driver->is_ready());
    scene.poll();
    EXPECT_FALSE(scene.driver->is_ready());
    scene.driver->stop_accept(scene.listener);
    EXPECT_TRUE(scene.driver->is_ready());
    scene.poll();
    EXPECT_EQ(scene.sink.log, (Log{"it closed 0", "accept_end 0"}));
}

TEST(SimDriver, IsReadyToSendWhileThereIsRoom) {
    SimScene scene;
    scene.connect_peer();
    Stream& stream = scene.receiving("it");
    const Bytes slice = as_bytes("now");
    const Slices slices{&slice, 1};
    EXPECT_FALSE(scene.driver->is_ready()) << "nobody wants to send";
    scene.driver->send_when_ready(stream, slices);
    EXPECT_TRUE(scene.driver->is_ready());
    scene.poll();
    EXPECT_EQ(scene.sink.log, Log{"it sent 3"});
    EXPECT_FALSE(scene.driver->is_ready());
}

// ── Time ─────────────────────────────────────────────────────────────────────────────────────

TEST(SimDriver, WaitsUntilSomethingArrives) {
    constexpr Duration kTravelMax = std::chrono::milliseconds{3};
    SimScene scene{{.travel_max = kTravelMax}};
    ASSERT_TRUE(scene.driver->start_accept(scene.listener));
    const Instant before = scene.kernel.now();
    scene.connect_peer();
    EXPECT_FALSE(scene.driver->is_ready());
    scene.poll(before + std::chrono::hours{1});
    EXPECT_EQ(scene.sink.log.size(), 1u);
    EXPECT_LE(scene.kernel.now() - before, 3 * kTravelMax);  // SYN, SYN-ACK, ACK
}

TEST(SimDriver, WaitsUntilItsDeadlineAndNotLonger) {
    SimScene scene;
    const Deadline deadline = scene.kernel.now() + std::chrono::hours{1};
    scene.poll(deadline);
    EXPECT_EQ(scene.kernel.now(), deadline);
}

TEST(SimDriver, LetsNoTimePassAfterItsDeadline) {
    SimScene scene{{.travel_max = std::chrono::milliseconds{3}}};
    ASSERT_TRUE(scene.driver->start_accept(scene.listener));
    scene.connect_peer();
    const Instant before = scene.kernel.now();
    scene.poll(Deadline{});
    scene.poll(before);
    EXPECT_EQ(scene.kernel.now(), before);
}

TEST(SimDriver, AWaitForEverIsADefect) {
    SimScene scene;
    ASSERT_TRUE(scene.driver->start_accept(scene.listener));
    EXPECT_DEATH(scene.poll(Deadline::never()), "nothing is left that could end it");
}

}  // namespace
}  // namespace berth::driver::sim::test
