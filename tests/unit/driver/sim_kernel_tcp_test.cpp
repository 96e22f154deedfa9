// SPDX-License-Identifier: MIT
//
// SimTcp: connecting, bytes and windows on a calm day, with the answers that Linux gives.

#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace berth::driver::sim {
namespace {

TEST(SimTcp, FreshSocketIsHungUpAndKnowsNobody) {
    KernelScene scene;
    const auto socket = scene.tcp();
    EXPECT_EQ(scene.poll(socket), "out hup");
    EXPECT_EQ(scene.send(socket, "x"), EPIPE);
    EXPECT_EQ(scene.receive(socket), scene.error(ENOTCONN));
    EXPECT_EQ(scene.shutdown(socket, Shut::sending), ENOTCONN);
    EXPECT_EQ(scene.process.peer_endpoint(socket, Scheme::tcp).errno_value(), ENOTCONN);
    EXPECT_EQ(scene.process.accept(socket).errno_value(), EINVAL);
    EXPECT_EQ(scene.where(socket).to_string(), "tcp://0.0.0.0:0");
    EXPECT_EQ(scene.unacknowledged(socket), 0U);
}

TEST(SimTcp, ConnectIsDoneAtOnceButSaysSoOnlyWhenAskedAgain) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto client = scene.client_of(listener);
    EXPECT_EQ(scene.poll(client), "out");
    EXPECT_EQ(scene.connect(client, scene.where(listener)), 0);
    EXPECT_EQ(scene.connect(client, scene.where(listener)), EISCONN);
    EXPECT_EQ(scene.bind(client, "tcp4://127.0.0.1:0"), EINVAL);
    EXPECT_EQ(scene.process.listen(client, 1).errno_value(), EINVAL);
}

TEST(SimTcp, BothEndsNameEachOther) {
    KernelScene scene;
    const auto listener = scene.listener("tcp4://0.0.0.0:0");
    const auto client = scene.tcp();
    const auto to = loopback(scene.where(listener).port(), 7);
    EXPECT_EQ(scene.connect(client, to), EINPROGRESS);
    const auto accepted = scene.process.accept(listener).value();
    EXPECT_EQ(accepted.peer, scene.where(client).ip());
    EXPECT_EQ(scene.where(accepted.descriptor), to);
    EXPECT_EQ(scene.process.peer_endpoint(client, Scheme::tcp).value(), to);
    EXPECT_EQ(scene.where(client).ip().address[3], 1);
}

TEST(SimTcp, RefusedConnectTellsItsErrorOnceAndMayBeTriedAgain) {
    KernelScene scene;
    const auto listener = scene.listener();
    const Endpoint nobody = scene.where(listener);
    scene.process.close(listener);
    const auto client = scene.client_of(scene.listener());
    const auto refused = scene.tcp();
    EXPECT_EQ(scene.connect(refused, nobody), EINPROGRESS);
    EXPECT_EQ(scene.poll(refused), "in out err hup rdhup");
    EXPECT_EQ(scene.process.listen(refused, 1).errno_value(), EINVAL);
    EXPECT_EQ(scene.connect(refused, nobody), ECONNREFUSED);
    EXPECT_EQ(scene.poll(refused), "out hup");
    EXPECT_EQ(scene.connect(refused, nobody), EINPROGRESS);
    EXPECT_EQ(scene.process.take_error(refused), ECONNREFUSED);
    EXPECT_EQ(scene.process.take_error(refused), 0);
    EXPECT_EQ(scene.connect(refused, nobody), ECONNABORTED);
    EXPECT_EQ(scene.poll(client), "out");
}

TEST(SimTcp, BytesArriveInOrderAndAreAcknowledged) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.send(client, "hello "), 0);
    EXPECT_EQ(scene.send(client, "world"), 0);
    EXPECT_EQ(scene.unacknowledged(client), 0U);
    EXPECT_EQ(scene.poll(server), "in out");
    EXPECT_EQ(scene.receive(server, 3), "hel");
    EXPECT_EQ(scene.receive(server), "lo world");
    EXPECT_EQ(scene.receive(server), scene.error(EAGAIN));
}

TEST(SimTcp, FullBuffersRefuseAndReadingMakesRoom) {
    KernelScene scene;
    scene.kernel.size_tcp_buffers(4000, 6000);
    const auto [client, server] = scene.connection();
    const std::string much(20000, 'a');
    EXPECT_EQ(scene.process.send(client, as_bytes(much)).value(), 6000U);
    EXPECT_EQ(scene.process.send(client, as_bytes(much)).value(), 2000U);  // half of 4000 arrived
    EXPECT_EQ(scene.send(client, much), EAGAIN);
    EXPECT_EQ(scene.poll(client), "");
    EXPECT_EQ(scene.unacknowledged(client), 6000U);
    EXPECT_EQ(scene.process.never_sent(client).value(), 6000U);

    std::string got;
    while (scene.poll(server) == "in out") got += scene.receive(server, 500);
    EXPECT_EQ(got.size(), 8000U);
    EXPECT_EQ(scene.poll(client), "out");
}

TEST(SimTcp, ConnectsToItselfAsTwoThatMeetHalfWay) {
    KernelScene scene;
    const auto socket = scene.tcp();
    EXPECT_EQ(scene.bind(socket, "tcp4://127.0.0.1:0"), 0);
    EXPECT_EQ(scene.connect(socket, scene.where(socket)), EINPROGRESS);
    EXPECT_EQ(scene.poll(socket), "out");
    EXPECT_EQ(scene.send(socket, "abc"), 0);
    EXPECT_EQ(scene.receive(socket), "abc");
    EXPECT_EQ(scene.shutdown(socket, Shut::sending), 0);
    EXPECT_EQ(scene.poll(socket), "in out hup rdhup");
    EXPECT_EQ(scene.receive(socket), "");
}

TEST(SimTcp, DualStackListenerTakesBothFamilies) {
    KernelScene scene;
    const auto listener = scene.listener("tcp://[::]:0");
    const auto port = scene.where(listener).port();
    const auto v4 = scene.tcp();
    EXPECT_EQ(scene.connect(v4, loopback(port)), EINPROGRESS);
    EXPECT_EQ(scene.process.accept(listener).value().peer.family, 4);
    const auto v6 = scene.tcp(Family::v6);
    EXPECT_EQ(scene.connect(v6, scene.where(listener)), EINPROGRESS);
    EXPECT_EQ(scene.process.accept(listener).value().peer.family, 6);
}

TEST(SimTcp, OptionsAreRefusedWhereLinuxRefusesThem) {
    KernelScene scene;
    const auto v4 = scene.tcp();
    const auto v6 = scene.tcp(Family::v6);
    EXPECT_EQ(scene.set(v4, SocketOption::v6_only, 1), ENOPROTOOPT);
    EXPECT_EQ(scene.set(v6, SocketOption::v6_only, 0), 0);
    EXPECT_EQ(scene.bind(v6, "tcp://[::1]:0"), 0);
    EXPECT_EQ(scene.set(v6, SocketOption::v6_only, 1), EINVAL);
    EXPECT_EQ(scene.set(v4, SocketOption::user_timeout, -5), EINVAL);
    EXPECT_EQ(scene.set(v4, SocketOption::keep_alive, 1), 0);
    EXPECT_EQ(scene.set(v4, SocketOption::keep_idle, 32'767), 0);
    EXPECT_EQ(scene.set(v4, SocketOption::keep_idle, 32'768), EINVAL);
    EXPECT_EQ(scene.set(v4, SocketOption::keep_interval, 0), EINVAL);
    EXPECT_EQ(scene.set(v4, SocketOption::keep_count, 127), 0);
    EXPECT_EQ(scene.set(v4, SocketOption::keep_count, 128), EINVAL);
    EXPECT_EQ(scene.set(scene.local(), SocketOption::keep_idle, 1), EOPNOTSUPP);
    EXPECT_EQ(scene.set(scene.udp(), SocketOption::no_delay, 1), ENOPROTOOPT);
    EXPECT_EQ(scene.set(scene.local(), SocketOption::no_delay, 1), EOPNOTSUPP);
    EXPECT_EQ(scene.set(scene.local(), SocketOption::reuse_port, 1), EOPNOTSUPP);
    EXPECT_EQ(scene.set(scene.local(), SocketOption::linger_reset, 0), 0);
}

}  // namespace
}  // namespace berth::driver::sim
