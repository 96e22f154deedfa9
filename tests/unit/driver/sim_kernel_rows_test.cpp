// SPDX-License-Identifier: MIT
//
// SimRows: the sockets of others, as sock_diag(7) and /proc tell of them.

#include "driver/sim/process.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace berth::driver::sim {
namespace {

std::vector<SocketRow> rows(KernelScene& scene, std::uint16_t port, SocketStates states = {}) {
    return scene.process.sockets(Scheme::tcp, port, states).value();
}

SocketRow only_row(KernelScene& scene, std::uint16_t port) {
    const auto all = rows(scene, port);
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? SocketRow{} : all.front();
}

TEST(SimRows, ListenerTellsItsQueueAndItsBacklog) {
    KernelScene scene;
    const auto listener = scene.listener("tcp4://127.0.0.1:0", 7);
    for (int count = 0; count < 3; ++count) scene.client_of(listener);
    const auto found =
        rows(scene, scene.where(listener).port(), SocketStates::of({SocketState::listening}));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].receive_queue, 3U);
    EXPECT_EQ(found[0].send_queue, 7U);
    EXPECT_EQ(found[0].local, scene.where(listener).ip());
    EXPECT_EQ(found[0].inode, scene.process.inode(listener).value());
}

TEST(SimRows, BoundSocketIsInactive) {
    KernelScene scene;
    const auto socket = scene.tcp();
    EXPECT_EQ(scene.bind(socket, "tcp4://127.0.0.1:0"), 0);
    EXPECT_EQ(only_row(scene, scene.where(socket).port()).state, SocketState::bound_inactive);
}

TEST(SimRows, UnacceptedConnectionBelongsToNobody) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto port = scene.where(listener).port();
    scene.client_of(listener);
    const auto established = SocketStates::of({SocketState::established});
    EXPECT_EQ(rows(scene, port, established).at(0).inode, 0U);
    const auto server = scene.accept(listener);
    EXPECT_EQ(rows(scene, port, established).at(0).inode, scene.process.inode(server).value());
}

TEST(SimRows, HandshakeInFlightIsSeenByEitherName) {
    KernelScene scene{{.travel_max = 10ms}};
    const auto listener = scene.listener();
    const auto port = scene.where(listener).port();
    scene.client_of(listener);
    while (rows(scene, port).size() == 1) scene.pass(1ms);
    for (const auto state : {SocketState::syn_received, SocketState::new_syn_received}) {
        const auto found = rows(scene, port, SocketStates::of({state}));
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].state, SocketState::syn_received);
        EXPECT_EQ(found[0].inode, 0U);
    }
}

TEST(SimRows, TimeWaitHasATimerAndNoOwner) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto [client, server] = scene.connection(listener);
    const auto port = scene.where(listener).port();
    scene.process.close(listener);
    scene.process.close(server);
    EXPECT_EQ(only_row(scene, port).state, SocketState::fin_wait2);
    scene.process.close(client);
    scene.pass(20s);
    const SocketRow row = only_row(scene, port);
    EXPECT_EQ(row.state, SocketState::time_wait);
    EXPECT_EQ(row.timer, 40s);
    EXPECT_EQ(row.inode, 0U);
}

TEST(SimRows, OrphanTimeoutEndsTheWaitForAFin) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto [client, server] = scene.connection(listener);
    const auto port = scene.where(listener).port();
    scene.process.close(listener);
    EXPECT_EQ(scene.set(server, SocketOption::orphan_timeout, 2), 0);
    scene.process.close(server);
    EXPECT_EQ(only_row(scene, port).timer, 2s);
    scene.pass(2s);
    EXPECT_TRUE(rows(scene, port).empty());
    EXPECT_EQ(scene.receive(client), "");
}

TEST(SimRows, DatagramSocketIsClosedUntilItIsConnected) {
    KernelScene scene;
    const auto socket = scene.udp();
    EXPECT_EQ(scene.bind(socket, "udp4://127.0.0.1:0"), 0);
    const Endpoint place = scene.where(socket);
    const auto state = [&] {
        return scene.process.sockets(Scheme::udp, place.port(), {}).value().at(0).state;
    };
    EXPECT_EQ(state(), SocketState::closed);
    EXPECT_EQ(scene.connect(socket, place), 0);
    EXPECT_EQ(state(), SocketState::established);
}

TEST(SimRows, UnixNamesTellWhoStandsBehindThem) {
    KernelScene scene;
    const auto listener = scene.listener("unix:/run/name");
    const auto found = scene.process.unix_sockets("/run/name").value();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].is_listening);
    EXPECT_EQ(found[0].inode, scene.process.inode(listener).value());
    EXPECT_EQ(found[0].file_inode, scene.process.inspect("/run/name")->inode);
    EXPECT_TRUE(scene.process.unix_sockets("/run/other")->empty());
}

TEST(SimRows, HoldersAreThoseWithADescriptor) {
    KernelScene scene;
    Process other{scene.kernel, Process::kDescriptorsMax, {.uid = 5, .command = "other"}};
    const auto socket = other.socket(Family::v4, Kind::stream).value();
    const auto copy = other.duplicate(socket).value();
    const std::array inodes{other.inode(socket).value()};
    const auto holders = scene.process.holders(inodes);
    ASSERT_EQ(holders.size(), 2U);
    EXPECT_EQ(holders[0].fd, number(socket));
    EXPECT_EQ(holders[1].fd, number(copy));
    EXPECT_EQ(holders[0].pid, other.id());
    EXPECT_EQ(holders[0].command, "other");
}

TEST(SimRows, StrangersHideTheirDescriptorsFromAllButRoot) {
    Kernel kernel{7};
    Process nobody{kernel, Process::kDescriptorsMax, {.uid = 65534}};
    Process root{kernel};
    const std::array inodes{root.inode(root.socket(Family::v4, Kind::stream).value()).value()};
    EXPECT_TRUE(nobody.holders(inodes).empty());
    EXPECT_EQ(root.holders(inodes).size(), 1U);
}

TEST(SimRows, SharedPortIsForOneUserOnly) {
    Kernel kernel{7};
    Process root{kernel};
    Process nobody{kernel, Process::kDescriptorsMax, {.uid = 65534}};
    const auto share = [](Process& process, const Endpoint& place) {
        const auto socket = process.socket(Family::v4, Kind::stream).value();
        EXPECT_TRUE(process.set(socket, SocketOption::reuse_port, 1));
        const auto bound = process.bind(socket, place);
        return bound ? process.listen(socket, 1).errno_value() : bound.errno_value();
    };
    const Endpoint place = loopback(7777);
    EXPECT_EQ(share(root, place), 0);
    EXPECT_EQ(share(nobody, place), EADDRINUSE);
    EXPECT_EQ(share(root, place), 0);
}

}  // namespace
}  // namespace berth::driver::sim
