// SPDX-License-Identifier: MIT
//
// SimUnix: local streams, and the paths that outlive them.

#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace berth::driver::sim {
namespace {

constexpr std::string_view kPath = "unix:///run/a.sock";

Connection local_pair(KernelScene& scene) {
    const auto listener = scene.listener(kPath);
    const auto client = scene.local();
    EXPECT_EQ(scene.connect(client, endpoint(kPath)), 0);
    return {client, scene.accept(listener)};
}

TEST(SimUnix, FreshStreamIsHungUp) {
    KernelScene scene;
    const auto socket = scene.local();
    EXPECT_EQ(scene.poll(socket), "out hup");
    EXPECT_EQ(scene.send(socket, "x"), ENOTCONN);
    EXPECT_EQ(scene.receive(socket), scene.error(EINVAL));
    EXPECT_EQ(scene.process.accept(socket).errno_value(), EINVAL);
    EXPECT_EQ(scene.process.listen(socket, 1).errno_value(), EINVAL);
    EXPECT_EQ(scene.process.never_sent(socket).errno_value(), ENOTTY);
    EXPECT_EQ(scene.shutdown(socket, Shut::sending), 0);
}

TEST(SimUnix, ConnectCompletesAtOnce) {
    KernelScene scene;
    const auto [client, server] = local_pair(scene);
    EXPECT_EQ(scene.poll(client), "out");
    EXPECT_EQ(scene.connect(client, endpoint(kPath)), EISCONN);
    EXPECT_EQ(scene.connect(client, endpoint("unix:///run/nope")), ENOENT);
    const auto name = [&](Descriptor socket) {
        return scene.process.peer_endpoint(socket, Scheme::unix_stream).value().name();
    };
    EXPECT_EQ(name(client), "/run/a.sock");
    EXPECT_EQ(name(server), "");
    EXPECT_EQ(scene.where(server).name(), "/run/a.sock");
}

TEST(SimUnix, ConnectSaysWhyNot) {
    KernelScene scene;
    const auto bound = scene.local();
    EXPECT_EQ(scene.bind(bound, kPath), 0);
    EXPECT_EQ(scene.connect(scene.local(), endpoint(kPath)), ECONNREFUSED);
    EXPECT_EQ(scene.connect(scene.local(), endpoint("unix:@nobody")), ECONNREFUSED);
    EXPECT_EQ(scene.connect(scene.local(), endpoint("unix:///run/nope")), ENOENT);
    const auto datagrams = scene.process.socket(Family::local, Kind::datagram).value();
    EXPECT_EQ(scene.connect(datagrams, endpoint(kPath)), EPROTOTYPE);
}

TEST(SimUnix, FullBacklogAnswersTryAgain) {
    KernelScene scene;
    const auto listener = scene.listener(kPath, 1);
    EXPECT_EQ(scene.connect(scene.local(), endpoint(kPath)), 0);
    EXPECT_EQ(scene.connect(scene.local(), endpoint(kPath)), 0);
    const auto third = scene.local();
    EXPECT_EQ(scene.connect(third, endpoint(kPath)), EAGAIN);
    scene.accept(listener);
    EXPECT_EQ(scene.connect(third, endpoint(kPath)), 0);
}

TEST(SimUnix, BytesAreWithThePeerAtOnce) {
    KernelScene scene;
    const auto [client, server] = local_pair(scene);
    EXPECT_EQ(scene.send(client, "hello"), 0);
    EXPECT_EQ(scene.poll(server), "in out");
    EXPECT_EQ(scene.receive(server), "hello");
    EXPECT_EQ(scene.receive(server), scene.error(EAGAIN));
}

TEST(SimUnix, CloseWithUnreadBytesResetsThePeerAfterItsOwn) {
    KernelScene scene;
    const auto [client, server] = local_pair(scene);
    EXPECT_EQ(scene.send(server, "zz"), 0);
    EXPECT_EQ(scene.send(client, "unread"), 0);
    scene.process.close(server);
    EXPECT_EQ(scene.poll(client), "in out err hup rdhup");
    EXPECT_EQ(scene.send(client, "x"), EPIPE);
    EXPECT_EQ(scene.receive(client), "zz");
    EXPECT_EQ(scene.receive(client), scene.error(ECONNRESET));
    EXPECT_EQ(scene.receive(client), "");
    EXPECT_EQ(scene.process.peer_endpoint(client, Scheme::unix_stream).errno_value(), 0);
}

TEST(SimUnix, OrderlyCloseIsAnEndWithoutAnError) {
    KernelScene scene;
    const auto [client, server] = local_pair(scene);
    EXPECT_EQ(scene.send(server, "zz"), 0);
    scene.reset(server);  // SO_LINGER means nothing here
    EXPECT_EQ(scene.poll(client), "in out hup rdhup");
    EXPECT_EQ(scene.receive(client), "zz");
    EXPECT_EQ(scene.receive(client), "");
    EXPECT_EQ(scene.send(client, "x"), EPIPE);
}

TEST(SimUnix, ShutdownEndsOneWayForBoth) {
    KernelScene scene;
    const auto [client, server] = local_pair(scene);
    EXPECT_EQ(scene.shutdown(server, Shut::sending), 0);
    EXPECT_EQ(scene.poll(client), "in out rdhup");
    EXPECT_EQ(scene.receive(client), "");
    EXPECT_EQ(scene.send(client, "ok"), 0);
    EXPECT_EQ(scene.receive(server), "ok");
    EXPECT_EQ(scene.shutdown(server, Shut::reading), 0);
    EXPECT_EQ(scene.send(client, "no"), EPIPE);
    EXPECT_EQ(scene.poll(server), "in out hup rdhup");
}

TEST(SimUnix, CloseOfAListenerResetsWhatIsQueuedAndLeavesThePath) {
    KernelScene scene;
    const auto listener = scene.listener(kPath);
    const auto client = scene.local();
    EXPECT_EQ(scene.connect(client, endpoint(kPath)), 0);
    scene.process.close(listener);
    EXPECT_EQ(scene.receive(client), scene.error(ECONNRESET));
    EXPECT_EQ(scene.connect(scene.local(), endpoint(kPath)), ECONNREFUSED);
    EXPECT_EQ(scene.bind(scene.local(), kPath), EADDRINUSE);
    EXPECT_EQ(scene.kernel.orphaned_sockets(), 0U);
}

TEST(SimUnix, ListenerShutDownStillGivesWhatIsQueued) {
    KernelScene scene;
    const auto listener = scene.listener(kPath);
    EXPECT_EQ(scene.connect(scene.local(), endpoint(kPath)), 0);
    EXPECT_EQ(scene.shutdown(listener, Shut::both), 0);
    EXPECT_EQ(scene.poll(listener), "in hup rdhup");
    EXPECT_EQ(scene.process.accept(listener).errno_value(), 0);
    EXPECT_EQ(scene.process.accept(listener).errno_value(), EAGAIN);
    EXPECT_EQ(scene.connect(scene.local(), endpoint(kPath)), ECONNREFUSED);
}

TEST(SimUnix, FullPeerRefusesAndIsWritableAgainBelowAQuarter) {
    KernelScene scene;
    const auto [client, server] = local_pair(scene);
    EXPECT_EQ(scene.set(client, SocketOption::send_buffer, 4000), 0);
    EXPECT_EQ(scene.process.send(client, as_bytes(std::string(9000, 'x'))).value(), 8000U);
    EXPECT_EQ(scene.send(client, "x"), EAGAIN);
    EXPECT_EQ(scene.receive(server, 5999).size(), 5999U);
    EXPECT_EQ(scene.poll(client), "");
    EXPECT_EQ(scene.receive(server, 1), "x");
    EXPECT_EQ(scene.poll(client), "out");
}

TEST(SimUnix, PathTellsItsOwnerAndKeepsItsInode) {
    KernelScene scene;
    const std::string path = "/run/a.sock";
    EXPECT_EQ(scene.process.inspect(path).value().kind, PathFacts::Kind::missing);
    EXPECT_EQ(scene.process.path_has_owner(path).errno_value(), ENOENT);
    const auto first = scene.listener(kPath);
    const PathFacts facts = scene.process.inspect(path).value();
    EXPECT_EQ(facts.kind, PathFacts::Kind::socket);
    EXPECT_TRUE(scene.process.path_has_owner(path).value());
    scene.process.close(first);
    EXPECT_FALSE(scene.process.path_has_owner(path).value());
    EXPECT_EQ(scene.process.inspect(path).value(), facts);
    EXPECT_EQ(scene.process.unlink(path).errno_value(), 0);
    EXPECT_EQ(scene.process.unlink(path).errno_value(), ENOENT);
    scene.listener(kPath);
    EXPECT_NE(scene.process.inspect(path).value(), facts);
}

TEST(SimUnix, CloseOfAnUnlinkedSocketLeavesTheNextOneAtItsPathAlone) {
    KernelScene scene;
    const auto first = scene.listener(kPath);
    EXPECT_EQ(scene.process.unlink("/run/a.sock").errno_value(), 0);
    scene.listener(kPath);
    scene.process.close(first);
    EXPECT_TRUE(scene.process.path_has_owner("/run/a.sock").value());
}

TEST(SimUnix, AbstractNameGoesWithItsSocket) {
    KernelScene scene;
    const auto first = scene.listener("unix:@name");
    EXPECT_EQ(scene.bind(scene.local(), "unix:@name"), EADDRINUSE);
    EXPECT_EQ(scene.connect(scene.local(), endpoint("unix:@name")), 0);
    scene.process.close(first);
    EXPECT_EQ(scene.bind(scene.local(), "unix:@name"), 0);
}

TEST(SimUnix, DirectoryIsLockedUntilItsDescriptorIsClosed) {
    KernelScene scene;
    const auto lock = scene.process.lock_directory_of("/run/a.sock").value();
    EXPECT_EQ(scene.process.lock_directory_of("/run/b.sock").errno_value(), EWOULDBLOCK);
    EXPECT_EQ(scene.process.lock_directory_of("/tmp/a.sock").errno_value(), 0);
    scene.process.close(lock);
    EXPECT_EQ(scene.process.lock_directory_of("/run/b.sock").errno_value(), 0);
}

}  // namespace
}  // namespace berth::driver::sim
