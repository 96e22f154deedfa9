// SPDX-License-Identifier: MIT
//
// SimUdp: datagrams.

#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <set>
#include <string>

namespace berth::driver::sim {
namespace {

Descriptor receiver_in(KernelScene& scene) {
    const auto receiver = scene.udp();
    EXPECT_EQ(scene.bind(receiver, "udp4://127.0.0.1:0"), 0);
    return receiver;
}

int send_to(KernelScene& scene, Descriptor from, const Endpoint& to, std::string_view bytes) {
    return scene.process.send_to(from, to, as_bytes(bytes)).errno_value();
}

TEST(SimUdp, FreshSocketHasNoDestination) {
    KernelScene scene;
    const auto socket = scene.udp();
    EXPECT_EQ(scene.poll(socket), "out");
    EXPECT_EQ(scene.send(socket, "x"), EDESTADDRREQ);
    EXPECT_EQ(scene.receive(socket), scene.error(EAGAIN));
    EXPECT_EQ(scene.shutdown(socket, Shut::sending), ENOTCONN);
    EXPECT_EQ(scene.process.peer_endpoint(socket, Scheme::udp).errno_value(), ENOTCONN);
    EXPECT_EQ(scene.process.listen(socket, 1).errno_value(), EOPNOTSUPP);
    EXPECT_EQ(scene.process.accept(socket).errno_value(), EOPNOTSUPP);
}

TEST(SimUdp, DatagramsKeepTheirBoundsAndTellTheirSender) {
    KernelScene scene;
    const auto receiver = receiver_in(scene);
    const auto sender = scene.udp();
    EXPECT_EQ(send_to(scene, sender, scene.where(receiver), "abc"), 0);
    EXPECT_EQ(send_to(scene, sender, scene.where(receiver), ""), 0);
    std::array<std::byte, 2> room{};
    const auto cut = scene.process.receive_from(receiver, room).value();
    EXPECT_EQ(cut.size, 2U);
    EXPECT_TRUE(cut.truncated);
    EXPECT_EQ(cut.from.port(), scene.where(sender).port());
    const auto empty = scene.process.receive_from(receiver, room).value();
    EXPECT_EQ(empty.size, 0U);
    EXPECT_FALSE(empty.truncated);
    EXPECT_EQ(scene.poll(receiver), "out");
}

TEST(SimUdp, TooLongOrNowhereIsRefused) {
    KernelScene scene;
    const auto receiver = receiver_in(scene);
    const auto sender = scene.udp();
    EXPECT_EQ(send_to(scene, sender, scene.where(receiver), std::string(65508, 'x')), EMSGSIZE);
    EXPECT_EQ(send_to(scene, sender, scene.where(receiver), std::string(65507, 'x')), 0);
    EXPECT_EQ(send_to(scene, sender, loopback(0), "x"), EINVAL);
}

TEST(SimUdp, OnlyAConnectedSenderHearsThatNobodyReceives) {
    KernelScene scene;
    const auto gone = receiver_in(scene);
    const Endpoint nobody = scene.where(gone);
    scene.process.close(gone);
    const auto sender = scene.udp();
    EXPECT_EQ(send_to(scene, sender, nobody, "x"), 0);
    EXPECT_EQ(scene.process.take_error(sender), 0);
    EXPECT_EQ(scene.connect(sender, nobody), 0);
    EXPECT_EQ(scene.send(sender, "x"), 0);
    EXPECT_EQ(scene.poll(sender), "out err");
    EXPECT_EQ(scene.send(sender, "x"), ECONNREFUSED);
    EXPECT_EQ(scene.send(sender, "x"), 0);
    EXPECT_EQ(scene.receive(sender), scene.error(ECONNREFUSED));
    EXPECT_EQ(scene.receive(sender), scene.error(EAGAIN));
}

TEST(SimUdp, ConnectedSocketHearsItsPeerOnly) {
    KernelScene scene;
    const auto peer = receiver_in(scene);
    const auto socket = scene.udp();
    EXPECT_EQ(scene.connect(socket, scene.where(peer)), 0);
    EXPECT_EQ(send_to(scene, scene.udp(), scene.where(socket), "no"), 0);
    EXPECT_EQ(scene.receive(socket), scene.error(EAGAIN));
    EXPECT_EQ(send_to(scene, peer, scene.where(socket), "yes"), 0);
    EXPECT_EQ(scene.receive(socket), "yes");
}

TEST(SimUdp, FullQueueDropsSilently) {
    KernelScene scene;
    const auto receiver = receiver_in(scene);
    const auto sender = scene.udp();
    for (int count = 0; count < 400; ++count) {
        EXPECT_EQ(send_to(scene, sender, scene.where(receiver), ""), 0);
    }
    int received = 0;
    while (scene.process.receive_from(receiver, {})) ++received;
    EXPECT_EQ(received, 256);
}

TEST(SimUdp, PortIsShared_OnlyByBothsConsent_AndTheLastOneGetsAll) {
    KernelScene scene;
    const auto first = scene.udp();
    const auto second = scene.udp();
    EXPECT_EQ(scene.set(first, SocketOption::reuse_address, 1), 0);
    EXPECT_EQ(scene.bind(first, "udp4://127.0.0.1:0"), 0);
    EXPECT_EQ(scene.process.bind(second, scene.where(first)).errno_value(), EADDRINUSE);
    EXPECT_EQ(scene.set(second, SocketOption::reuse_address, 1), 0);
    EXPECT_EQ(scene.process.bind(second, scene.where(first)).errno_value(), 0);
    EXPECT_EQ(send_to(scene, scene.udp(), scene.where(first), "mine"), 0);
    EXPECT_EQ(scene.receive(first), scene.error(EAGAIN));
    EXPECT_EQ(scene.receive(second), "mine");
}

TEST(SimUdp, WeatherLosesAndReorders) {
    KernelScene scene{{.travel_max = 1ms, .lost_datagram = 4}};
    const auto receiver = receiver_in(scene);
    const auto sender = scene.udp();
    std::string sent;
    for (char name = 'A'; name <= 'Z'; ++name) {
        EXPECT_EQ(send_to(scene, sender, scene.where(receiver), {&name, 1}), 0);
        sent += name;
    }
    scene.pass(1ms);
    std::string got;
    while (scene.poll(receiver) == "in out") got += scene.receive(receiver);
    EXPECT_LT(got.size(), sent.size());
    EXPECT_GT(got.size(), sent.size() / 2);
    EXPECT_FALSE(std::ranges::is_sorted(got));
    EXPECT_EQ(std::set(got.begin(), got.end()).size(), got.size());
}

}  // namespace
}  // namespace berth::driver::sim
