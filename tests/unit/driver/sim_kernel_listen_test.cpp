// SPDX-License-Identifier: MIT
//
// SimListen: the two queues of a listener, and what becomes of them.

#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

namespace berth::driver::sim {
namespace {

TEST(SimListen, ListenerIsNoConnection) {
    KernelScene scene;
    const auto listener = scene.listener();
    EXPECT_EQ(scene.poll(listener), "");
    EXPECT_EQ(scene.receive(listener), scene.error(ENOTCONN));
    EXPECT_EQ(scene.send(listener, "x"), EPIPE);
    EXPECT_EQ(scene.connect(listener, scene.where(listener)), EISCONN);
    EXPECT_EQ(scene.process.unacknowledged(listener).errno_value(), EINVAL);
    EXPECT_EQ(scene.process.accept(listener).errno_value(), EAGAIN);
    EXPECT_EQ(scene.process.listen(listener, 9).errno_value(), 0);
    EXPECT_EQ(scene.shutdown(listener, Shut::sending), 0);
    EXPECT_EQ(scene.process.accept(listener).errno_value(), EAGAIN);
}

TEST(SimListen, WithoutAnAddressItChoosesAPort) {
    KernelScene scene;
    const auto listener = scene.tcp();
    EXPECT_EQ(scene.process.listen(listener, 1).errno_value(), 0);
    EXPECT_NE(scene.where(listener).port(), 0);
}

TEST(SimListen, AcceptQueueHoldsOneMoreThanItsBacklog) {
    KernelScene scene;
    const auto listener = scene.listener("tcp4://127.0.0.1:0", 1);
    std::vector<Descriptor> clients;
    for (int count = 0; count < 4; ++count) clients.push_back(scene.client_of(listener));
    EXPECT_EQ(scene.poll(clients[1]), "out");
    EXPECT_EQ(scene.poll(clients[2]), "");
    EXPECT_EQ(scene.poll(clients[3]), "");
}

TEST(SimListen, SynThatFoundTheQueueFullIsSentAgain) {
    KernelScene scene;
    const auto listener = scene.listener("tcp4://127.0.0.1:0", 0);
    scene.client_of(listener);
    const auto late = scene.client_of(listener);
    scene.accept(listener);
    EXPECT_EQ(scene.poll(late), "");
    scene.pass(999ms);
    EXPECT_EQ(scene.poll(late), "");
    scene.pass(1ms);
    EXPECT_EQ(scene.poll(late), "out");
    EXPECT_EQ(scene.poll(listener), "in");
}

TEST(SimListen, ConnectGivesUpAfterSixMoreSyns) {
    KernelScene scene;
    const auto listener = scene.listener("tcp4://127.0.0.1:0", 0);
    scene.client_of(listener);
    const auto late = scene.client_of(listener);
    scene.pass(126s);
    EXPECT_EQ(scene.connect(late, scene.where(listener)), EALREADY);
    scene.pass(1s);
    EXPECT_EQ(scene.connect(late, scene.where(listener)), ETIMEDOUT);
}

TEST(SimListen, SocketThatIsConnectingCanDoNothingElse) {
    KernelScene scene;
    const auto listener = scene.listener("tcp4://127.0.0.1:0", 0);
    scene.client_of(listener);
    const auto late = scene.client_of(listener);
    EXPECT_EQ(scene.send(late, "x"), EAGAIN);
    EXPECT_EQ(scene.receive(late), scene.error(EAGAIN));
    EXPECT_EQ(scene.process.peer_endpoint(late, Scheme::tcp).errno_value(), ENOTCONN);
    EXPECT_EQ(scene.unacknowledged(late), 0U);
    EXPECT_EQ(scene.shutdown(late, Shut::sending), 0);
    EXPECT_EQ(scene.poll(late), "out err hup");
    EXPECT_EQ(scene.process.take_error(late), ECONNRESET);
    EXPECT_EQ(scene.connect(late, scene.where(listener)), EINPROGRESS);
}

TEST(SimListen, CloseResetsWhatIsQueued) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto client = scene.client_of(listener);
    EXPECT_EQ(scene.send(client, "lost"), 0);
    scene.process.close(listener);
    EXPECT_EQ(scene.poll(client), "in out err hup rdhup");
    EXPECT_EQ(scene.process.take_error(client), ECONNRESET);
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 0U);
}

TEST(SimListen, ShutdownDoesTheSameAndTheSocketCanListenAgain) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto port = scene.where(listener).port();
    const auto client = scene.client_of(listener);
    EXPECT_EQ(scene.shutdown(listener, Shut::both), 0);
    EXPECT_EQ(scene.process.take_error(client), ECONNRESET);
    EXPECT_EQ(scene.poll(listener), "out hup");
    EXPECT_EQ(scene.process.accept(listener).errno_value(), EINVAL);
    EXPECT_EQ(scene.where(listener).port(), port);
    EXPECT_EQ(scene.process.listen(listener, 1).errno_value(), 0);
    EXPECT_NE(scene.where(listener).port(), port);  // it was chosen, and is chosen anew
}

TEST(SimListen, ShutdownKeepsAPortThatWasNamed) {
    KernelScene scene;
    const auto gone = scene.listener();
    const Endpoint place = scene.where(gone);
    scene.process.close(gone);
    const auto listener = scene.tcp();
    EXPECT_EQ(scene.process.bind(listener, place).errno_value(), 0);
    EXPECT_EQ(scene.process.listen(listener, 1).errno_value(), 0);
    EXPECT_EQ(scene.shutdown(listener, Shut::reading), 0);
    EXPECT_EQ(scene.bind(listener, "tcp4://127.0.0.1:0"), EINVAL);
    EXPECT_EQ(scene.process.bind(scene.tcp(), place).errno_value(), EADDRINUSE);
    EXPECT_EQ(scene.process.listen(listener, 1).errno_value(), 0);
    EXPECT_EQ(scene.where(listener), place);
}

TEST(SimListen, ClientThatWentWhileQueuedIsAcceptedWithItsBytesAndItsError) {
    KernelScene scene;
    const auto listener = scene.listener();
    const auto client = scene.client_of(listener);
    const Endpoint from = scene.where(client);
    EXPECT_EQ(scene.send(client, "abc"), 0);
    scene.reset(client);
    const auto accepted = scene.process.accept(listener).value();
    EXPECT_EQ(accepted.peer, from.ip());
    EXPECT_EQ(scene.receive(accepted.descriptor), "abc");
    EXPECT_EQ(scene.receive(accepted.descriptor), scene.error(ECONNRESET));
    EXPECT_EQ(scene.receive(accepted.descriptor), "");
}

TEST(SimListen, ShutdownBeforeListeningIsInherited) {
    KernelScene scene;
    const auto listener = scene.tcp();
    EXPECT_EQ(scene.shutdown(listener, Shut::both), ENOTCONN);
    EXPECT_EQ(scene.process.listen(listener, 1).errno_value(), 0);
    const auto [client, server] = scene.connection(listener);
    EXPECT_EQ(scene.poll(client), "in out rdhup");
    EXPECT_EQ(scene.poll(server), "in out hup rdhup");
}

TEST(SimListen, ShardsShareConnectionsAndOneThatClosesResetsItsOwn) {
    KernelScene scene;
    const auto first = scene.tcp();
    const auto second = scene.tcp();
    for (const auto socket : {first, second}) {
        EXPECT_EQ(scene.set(socket, SocketOption::reuse_port, 1), 0);
    }
    EXPECT_EQ(scene.bind(first, "tcp4://127.0.0.1:0"), 0);
    EXPECT_EQ(scene.process.bind(second, scene.where(first)).errno_value(), 0);
    EXPECT_EQ(scene.process.listen(first, 64).errno_value(), 0);
    EXPECT_EQ(scene.process.listen(second, 64).errno_value(), 0);

    std::vector<Descriptor> clients;
    for (int count = 0; count < 40; ++count) clients.push_back(scene.client_of(first));
    scene.process.close(first);
    std::size_t resets = 0;
    for (const auto client : clients) {
        if (scene.process.take_error(client) == ECONNRESET) ++resets;
    }
    std::size_t served = 0;
    while (scene.process.accept(second)) ++served;
    EXPECT_EQ(resets + served, 40U);
    EXPECT_GT(resets, 5U);
    EXPECT_GT(served, 5U);
}

}  // namespace
}  // namespace berth::driver::sim
