// SPDX-License-Identifier: MIT
//
// `berth serve` under a service manager: what it is told, and when.
//
// Method: the real program, and a socket that NOTIFY_SOCKET names.

#include "server_process.hpp"
#include "support/eventually.hpp"
#include "support/notify_receiver.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

namespace {

using namespace berth::test;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Systemd : public testing::Test {
protected:
    ServerProcess serve(const Process::Words& more = {}, Process::Words environment = {}) {
        Process::Words words{"echo", "--listen", "tcp://127.0.0.1:0", "--loops", "1"};
        words.insert(words.end(), more.begin(), more.end());
        environment.push_back("NOTIFY_SOCKET=" + name);
        return ServerProcess(words, environment);
    }

    const TempDir folder;
    const std::string name = folder.file("notify");
    NotifyReceiver manager{name};
};

TEST_F(Systemd, IsToldThatItIsReadyAndWhereItListens) {
    ServerProcess server = serve();
    ASSERT_TRUE(manager.hears("READY=1"));
    EXPECT_EQ(manager.heard().back(), "READY=1\nSTATUS=listening on " + server.address());
    EXPECT_EQ(server.stop(), 0);
}

TEST_F(Systemd, IsToldThatItStopsAndAtLastHowItWent) {
    ServerProcess server = serve();
    ASSERT_TRUE(manager.hears("READY=1"));
    EXPECT_EQ(server.stop(), 0);
    ASSERT_TRUE(manager.hears("STOPPING=1"));
    EXPECT_THAT(manager.heard().back(), HasSubstr("asked by signal 15"));
    EXPECT_THAT(manager.heard().back(), HasSubstr("EXTEND_TIMEOUT_USEC="));
    while (!manager.receive_now().empty()) {
    }
    EXPECT_EQ(manager.heard().back(), "STATUS=" + server.last_message());
    EXPECT_THAT(manager.heard(), Not(Contains(HasSubstr("RELOADING"))));
}

TEST_F(Systemd, IsAskedForMoreTimeForAsLongAsAStopGoesOn) {
    ServerProcess server = serve({"--lame-duck", "1500ms"});
    server.signal(SIGTERM);
    ASSERT_TRUE(manager.hears("STOPPING=1"));
    ASSERT_TRUE(manager.hears("STATUS=stopping (lame_duck)")) << "a second later";
    EXPECT_THAT(manager.heard().back(), HasSubstr("EXTEND_TIMEOUT_USEC="));
    EXPECT_EQ(server.wait(), 0);
}

TEST_F(Systemd, IsToldOfAReloadWithTheTimeThatItAsksFor) {
    ServerProcess server = serve();
    server.signal(SIGHUP);
    ASSERT_TRUE(manager.hears("RELOADING=1"));
    EXPECT_THAT(manager.heard().back(), HasSubstr("\nMONOTONIC_USEC="));
    ASSERT_TRUE(manager.hears("READY=1"));
    RawPeer peer = RawPeer::connect(server.endpoint());
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "hello");
    EXPECT_EQ(server.stop(), 0);
}

// What MAINPID= says, once something has been heard that says it.
int successor_in(const std::string& message) {
    constexpr std::string_view kName = "MAINPID=";
    return std::stoi(message.substr(message.find(kName) + kName.size()));
}

TEST_F(Systemd, IsToldTheNewMainProcessWhenTheProbationIsOver) {
    ServerProcess server = serve({"--probation", "200ms"});
    ASSERT_TRUE(manager.hears("READY=1"));
    server.signal(SIGUSR2);
    ASSERT_TRUE(manager.hears("RELOADING=1"));
    ASSERT_TRUE(manager.hears("MAINPID="));
    const std::string message = manager.heard().back();
    EXPECT_TRUE(message.starts_with("READY=1\n")) << "the reload has ended: " << message;
    RawPeer peer = RawPeer::connect(server.endpoint());
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "hello");
    peer.close();
    ::kill(successor_in(message), SIGTERM);
    server.wait();  // both generations have our pipes
    EXPECT_THAT(manager.heard(), Not(Contains(HasSubstr("STOPPING=1")))) << "a hand-over is none";
}

TEST_F(Systemd, IsFedWhereItWatches) {
    ServerProcess server = serve({}, {"WATCHDOG_USEC=50000"});
    ASSERT_TRUE(manager.hears("WATCHDOG=1"));
    ASSERT_TRUE(manager.hears("WATCHDOG=1")) << "again and again";
    EXPECT_EQ(server.stop(), 0);
}

TEST_F(Systemd, IsGivenACopyOfEachListenerToKeep) {
    ServerProcess server = serve({"--keep-listeners"});
    ASSERT_TRUE(manager.hears("FDSTORE=1"));
    EXPECT_THAT(manager.heard().back(), HasSubstr("FDNAME=berth-kept\nFDPOLL=0"));
    EXPECT_EQ(manager.descriptors_received(), 1u);
    EXPECT_EQ(server.stop(), 0);
    RawPeer early = RawPeer::connect(server.endpoint());
    EXPECT_EQ(early.ended(), Ended::not_yet) << "waits for the next server";
}

TEST_F(Systemd, MayHaveAnAbstractName) {
    const std::string abstract = "@berth-test-notify-" + std::to_string(::getpid());
    NotifyReceiver other(abstract);
    ServerProcess server({"echo", "--listen", "tcp://127.0.0.1:0"}, {"NOTIFY_SOCKET=" + abstract});
    EXPECT_TRUE(other.hears("READY=1"));
    EXPECT_EQ(server.stop(), 0);
}

TEST_F(Systemd, IsToldWhyThereWasNoStart) {
    ServerProcess holder;
    Process second(berth_words({"serve", "echo", "--listen", holder.address()}),
                   {"NOTIFY_SOCKET=" + name});
    EXPECT_EQ(second.wait(), 1);
    EXPECT_TRUE(manager.hears(holder.address()));
    EXPECT_THAT(manager.heard(), Not(Contains(HasSubstr("READY=1"))));
    EXPECT_EQ(holder.stop(), 0);
}

TEST(SystemdAbsent, IsNoReasonNotToServe) {
    const TempDir folder;
    for (const std::string& socket : {folder.file("nobody"), std::string("vsock:2:9999")}) {
        ServerProcess server({"echo", "--listen", "tcp://127.0.0.1:0"},
                             {"NOTIFY_SOCKET=" + socket});
        EXPECT_EQ(server.stop(), 0);
    }
}

}  // namespace
