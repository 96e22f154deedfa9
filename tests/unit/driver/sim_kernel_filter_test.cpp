// SPDX-License-Identifier: MIT
//
// SimFilter: what a listener does not hear any more, and who needs which right for that.

#include "driver/sim/process.hpp"
#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace berth::driver::sim {
namespace {

constexpr int kNeighbours = 255;
constexpr Weather kTenMs{.travel_max = 10ms};

TEST(SimFilter, DropsTheSynAndItsClientAsksAgain) {
    KernelScene scene;
    const auto listener = scene.listener();
    EXPECT_TRUE(scene.process.drop_handshakes(listener));
    const auto client = scene.client_of(listener);
    EXPECT_EQ(scene.poll(client), "");
    EXPECT_TRUE(scene.process.remove_filter(listener));
    scene.pass(999ms);
    EXPECT_EQ(scene.poll(client), "");
    scene.pass(1ms);
    EXPECT_EQ(scene.poll(client), "out");
}

TEST(SimFilter, LetsAHandshakeUnderWayComplete) {
    KernelScene scene{kTenMs};
    const auto listener = scene.listener();
    const auto client = scene.client_of(listener);
    while (scene.process
               .sockets(Scheme::tcp, scene.where(listener).port(),
                        SocketStates::of({SocketState::syn_received}))
               ->empty()) {
        scene.pass(1ms);
    }
    EXPECT_TRUE(scene.process.drop_handshakes(listener));
    scene.pass(50ms);
    EXPECT_EQ(scene.poll(client), "out");
    EXPECT_EQ(scene.poll(listener), "in");
}

TEST(SimFilter, ThatDropsEverythingMeetsNobody) {
    KernelScene scene{kTenMs};
    const auto listener = scene.tcp();
    EXPECT_EQ(scene.bind(listener, "tcp4://127.0.0.1:0"), 0);
    EXPECT_TRUE(scene.process.drop_everything(listener));
    EXPECT_TRUE(scene.process.listen(listener, 8));
    const auto client = scene.client_of(listener);
    scene.pass(50ms);
    EXPECT_EQ(scene.poll(client), "");
    scene.process.close(listener);
    scene.pass(1s);
    EXPECT_EQ(scene.process.take_error(client), ECONNREFUSED);
}

TEST(SimFilter, OnTcpNeedsARight) {
    Kernel kernel{7};
    Process nobody{kernel, Process::kDescriptorsMax, {.uid = 65534, .is_net_admin = false}};
    const auto tcp = nobody.socket(Family::v4, Kind::stream).value();
    const auto local = nobody.socket(Family::local, Kind::stream).value();
    EXPECT_EQ(nobody.drop_handshakes(tcp).errno_value(), EPERM);
    EXPECT_EQ(nobody.drop_everything(tcp).errno_value(), EPERM);
    EXPECT_EQ(nobody.drop_everything(local).errno_value(), 0);
    EXPECT_EQ(nobody.remove_filter(tcp).errno_value(), ENOENT);
    EXPECT_EQ(nobody.require_ttl(tcp, kNeighbours).errno_value(), 0);
}

TEST(SimFilter, TtlThatNobodyHasDropsTheSyn) {
    KernelScene scene;
    const auto listener = scene.listener();
    EXPECT_TRUE(scene.process.require_ttl(listener, kNeighbours));
    const auto client = scene.client_of(listener);
    EXPECT_EQ(scene.poll(client), "");
    scene.process.close(listener);
    scene.pass(1s);
    EXPECT_EQ(scene.process.take_error(client), ECONNREFUSED);
}

TEST(SimFilter, TtlLetsAHandshakeUnderWayCompleteAndLeavesItDeaf) {
    KernelScene scene{kTenMs};
    const auto listener = scene.listener();
    const auto client = scene.client_of(listener);
    while (scene.poll(client) != "out") scene.pass(1ms);
    EXPECT_TRUE(scene.process.require_ttl(listener, kNeighbours));
    scene.pass(20ms);
    const auto server = scene.accept(listener);
    EXPECT_EQ(scene.send(client, "hello"), 0);
    scene.pass(20ms);
    EXPECT_EQ(scene.receive(server), scene.error(EAGAIN));
    EXPECT_TRUE(scene.process.require_ttl(server, 0));
    scene.pass(150ms);
    EXPECT_EQ(scene.receive(server), scene.error(EAGAIN));
    scene.pass(100ms);
    EXPECT_EQ(scene.receive(server), "hello");
    EXPECT_EQ(scene.unacknowledged(client), 0U);
}

TEST(SimFilter, TtlIsAByte) {
    KernelScene scene;
    EXPECT_EQ(scene.process.require_ttl(scene.tcp(), 256).errno_value(), EINVAL);
    EXPECT_EQ(scene.process.require_ttl(scene.tcp(), -1).errno_value(), EINVAL);
}

// A peer whose machine is gone: it neither hears nor answers.
TEST(SimFilter, MakesAPeerThatHasVanished) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_TRUE(scene.process.drop_everything(client));
    EXPECT_EQ(scene.send(server, "anybody there?"), 0);
    scene.pass(1s);
    EXPECT_EQ(scene.unacknowledged(server), 14U);
    EXPECT_TRUE(scene.process.remove_filter(client));
    scene.pass(1ms);
    EXPECT_EQ(scene.receive(client), "anybody there?");
    EXPECT_EQ(scene.unacknowledged(server), 0U);
}

}  // namespace
}  // namespace berth::driver::sim
