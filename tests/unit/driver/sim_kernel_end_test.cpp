// SPDX-License-Identifier: MIT
//
// SimTcpEnd: the ways in which a TCP connection ends, on a calm day.

#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace berth::driver::sim {
namespace {

TEST(SimTcpEnd, FinComesAfterTheBytesAndHalfTheConnectionGoesOn) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.send(server, "last"), 0);
    EXPECT_EQ(scene.shutdown(server, Shut::sending), 0);
    EXPECT_EQ(scene.poll(server), "out");
    EXPECT_EQ(scene.unacknowledged(server), 0U);
    EXPECT_EQ(scene.poll(client), "in out rdhup");
    EXPECT_EQ(scene.receive(client), "last");
    EXPECT_EQ(scene.receive(client), "");
    EXPECT_EQ(scene.send(client, "more"), 0);
    EXPECT_EQ(scene.receive(server), "more");
    EXPECT_EQ(scene.send(server, "x"), EPIPE);
}

TEST(SimTcpEnd, WhoEndsFirstStaysInTimeWaitForAMinute) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.shutdown(server, Shut::sending), 0);
    EXPECT_EQ(scene.shutdown(client, Shut::sending), 0);
    EXPECT_EQ(scene.poll(server), "in out hup rdhup");
    EXPECT_EQ(scene.poll(client), "in out hup rdhup");
    EXPECT_EQ(scene.process.peer_endpoint(server, Scheme::tcp).errno_value(), ENOTCONN);
    EXPECT_EQ(scene.shutdown(server, Shut::sending), ENOTCONN);
    EXPECT_EQ(scene.kernel.time_wait_rows(), 1U);
    EXPECT_EQ(scene.connect(server, scene.where(client)), EISCONN);
    scene.pass(59s);
    EXPECT_EQ(scene.kernel.time_wait_rows(), 1U);
    scene.pass(1s);
    EXPECT_EQ(scene.kernel.time_wait_rows(), 0U);
}

TEST(SimTcpEnd, CloseWithUnreadBytesResets) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.send(client, "unread"), 0);
    scene.process.close(server);
    EXPECT_EQ(scene.poll(client), "in out err hup rdhup");
    EXPECT_EQ(scene.process.take_error(client), ECONNRESET);
    EXPECT_EQ(scene.kernel.time_wait_rows(), 0U);
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 0U);
}

TEST(SimTcpEnd, ResetLetsReceivedBytesBeReadBeforeItsError) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.send(server, "hello"), 0);
    scene.reset(server);
    EXPECT_EQ(scene.receive(client, 3), "hel");
    EXPECT_EQ(scene.receive(client, 3), "lo");
    EXPECT_EQ(scene.receive(client), scene.error(ECONNRESET));
    EXPECT_EQ(scene.poll(client), "in out hup rdhup");
    EXPECT_EQ(scene.receive(client), "");
    EXPECT_EQ(scene.send(client, "x"), EPIPE);
}

TEST(SimTcpEnd, ErrorOfAResetIsToldOnceBySendToo) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    scene.reset(server);
    EXPECT_EQ(scene.send(client, "x"), ECONNRESET);
    EXPECT_EQ(scene.send(client, "x"), EPIPE);
    EXPECT_EQ(scene.receive(client), "");
    EXPECT_EQ(scene.shutdown(client, Shut::both), ENOTCONN);
}

TEST(SimTcpEnd, ResetAfterTheFinIsABrokenPipe) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.shutdown(server, Shut::sending), 0);
    scene.reset(server);
    EXPECT_EQ(scene.receive(client), "");
    EXPECT_EQ(scene.poll(client), "in out err hup rdhup");
    EXPECT_EQ(scene.process.take_error(client), EPIPE);
}

TEST(SimTcpEnd, BytesForAClosedSocketAreAnsweredByAReset) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    scene.process.close(server);
    EXPECT_EQ(scene.poll(client), "in out rdhup");
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 1U);  // FIN_WAIT2
    EXPECT_EQ(scene.send(client, "q"), 0);
    EXPECT_EQ(scene.poll(client), "in out err hup rdhup");
    EXPECT_EQ(scene.send(client, "q"), EPIPE);
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 0U);
}

TEST(SimTcpEnd, BytesAfterShutdownOfBothWaysResetBothEnds) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.shutdown(server, Shut::both), 0);
    EXPECT_EQ(scene.poll(server), "in out hup rdhup");
    EXPECT_EQ(scene.poll(client), "in out rdhup");
    EXPECT_EQ(scene.send(client, "d"), 0);
    EXPECT_EQ(scene.process.take_error(server), ECONNRESET);
    EXPECT_EQ(scene.process.take_error(client), EPIPE);
}

TEST(SimTcpEnd, ShutdownOfReceivingStillLetsBytesIn) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.shutdown(server, Shut::reading), 0);
    EXPECT_EQ(scene.send(client, "d"), 0);
    EXPECT_EQ(scene.poll(server), "in out rdhup");
    EXPECT_EQ(scene.receive(server), "d");
    EXPECT_EQ(scene.receive(server), "");
    EXPECT_EQ(scene.poll(client), "out");
}

TEST(SimTcpEnd, OrphanWithoutAFinFromItsPeerGoesAfterAMinute) {
    KernelScene scene;
    const auto [client, server] = scene.connection();
    scene.process.close(server);
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 1U);
    scene.pass(61s);
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 0U);
    EXPECT_EQ(scene.send(client, "too late"), 0);
    EXPECT_EQ(scene.process.take_error(client), EPIPE);
}

TEST(SimTcpEnd, OrphanWhosePeerNeverReadsIsGivenUp) {
    KernelScene scene;
    scene.kernel.size_tcp_buffers(1000, 8000);
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.send(server, std::string(3000, 'x')), 0);
    scene.process.close(server);
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 1U);
    scene.pass(61s);
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 0U);
    EXPECT_EQ(scene.receive(client, 5000).size(), 500U);
    EXPECT_EQ(scene.receive(client), scene.error(ECONNRESET));
}

TEST(SimTcpEnd, UserTimeoutEndsAConnectionThatMakesNoProgress) {
    KernelScene scene;
    scene.kernel.size_tcp_buffers(1000, 8000);
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.set(server, SocketOption::user_timeout, 400), 0);
    EXPECT_EQ(scene.send(server, std::string(3000, 'x')), 0);
    scene.pass(399ms);
    EXPECT_EQ(scene.receive(client, 500).size(), 500U);
    scene.pass(399ms);
    EXPECT_EQ(scene.process.take_error(server), 0);
    scene.pass(1ms);
    EXPECT_EQ(scene.poll(server), "in out err hup rdhup");
    EXPECT_EQ(scene.process.take_error(server), ETIMEDOUT);
}

TEST(SimTcpEnd, ProcessThatEndsClosesAll) {
    Kernel kernel{1};
    Process client_process{kernel};
    Descriptor client{};
    {
        Process server{kernel};
        const auto listener = server.socket(Family::v4, Kind::stream).value();
        EXPECT_TRUE(server.listen(listener, 1));
        client = client_process.socket(Family::v4, Kind::stream).value();
        EXPECT_EQ(
            client_process.connect(client, server.local_endpoint(listener, Scheme::tcp).value())
                .errno_value(),
            EINPROGRESS);
    }
    EXPECT_EQ(client_process.take_error(client), ECONNRESET);
    EXPECT_EQ(kernel.owned_sockets(), 1U);
    EXPECT_EQ(kernel.orphaned_sockets(), 0U);
}

}  // namespace
}  // namespace berth::driver::sim
