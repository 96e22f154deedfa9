// SPDX-License-Identifier: MIT
//
// Signals, as an operator sends them. The first, second and third SIGTERM: serve_test.cpp.

#include "server_process.hpp"
#include "support/eventually.hpp"
#include "support/raw_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <string>

namespace {

using namespace berth::test;
using testing::HasSubstr;

TEST(Signal, QuitStopsAndExplainsHowItWent) {
    ServerProcess server;
    server.signal(SIGQUIT);
    EXPECT_EQ(server.wait(), 0);
    EXPECT_THAT(server.last_message(), HasSubstr("by signal 3"));
    EXPECT_THAT(server.messages(), HasSubstr("warn"));
}

TEST(Signal, HangUpDoesNotEndAServer) {
    ServerProcess server;
    server.signal(SIGHUP);
    RawPeer peer = RawPeer::connect(server.endpoint());
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "hello");
    EXPECT_EQ(server.stop(), 0);
}

TEST(Signal, EndsTheFirstProcessOfAPidNamespace) {
    Process probe({"/usr/bin/unshare", "--pid", "--fork", "/bin/true"});
    if (probe.wait() != 0) GTEST_SKIP() << "no pid namespace for this user";
    // When unshare dies, its child gets SIGTERM: the kernel ignores that for a process 1 without
    // a handler.
    ServerProcess server({"echo", "--listen", "tcp://127.0.0.1:0"}, {},
                         {"/usr/bin/unshare", "--pid", "--fork", "--kill-child=SIGTERM"});
    server.signal(SIGKILL);
    server.wait();  // both pipes are closed: process 1 is gone, too
    EXPECT_THAT(server.last_message(), HasSubstr("stopped clean"));
}

TEST(Signal, UnderKubernetesLeavesTimeToBeTakenOutOfRotation) {
    ServerProcess server({"echo", "--listen", "tcp://127.0.0.1:0", "--lame-duck", "100ms"},
                         {"KUBERNETES_SERVICE_HOST=10.0.0.1", "BERTH_LOG=info"});
    EXPECT_EQ(server.stop(), 0);
    EXPECT_THAT(server.messages(), HasSubstr("terminationGracePeriodSeconds: 33"));
}

}  // namespace
