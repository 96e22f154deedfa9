// SPDX-License-Identifier: MIT
//
// Restart: a port is free the moment the server has gone, with clients connected or not.
//
// Method: stop and start on one port, again and again, each time with live connections. The
// number of cycles is BERTH_RESTART_CYCLES, or 20.

#include "server_process.hpp"
#include "support/raw_socket.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

namespace {

using namespace berth::test;

int cycles_wanted() {
    const char* const wanted = std::getenv("BERTH_RESTART_CYCLES");
    return wanted == nullptr ? 20 : std::atoi(wanted);
}

RawPeer connect_and_talk(const ServerProcess& server) {
    RawPeer peer = RawPeer::connect(server.endpoint());
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "hello");
    return peer;
}

TEST(Restart, FindsItsPortFreeAtOnceAfterEveryStopWithLiveConnections) {
    std::string address = "tcp://127.0.0.1:0";
    for (int cycle = 0; cycle < cycles_wanted(); ++cycle) {
        ServerProcess server({"echo", "--listen", address, "--loops", "2"});
        address = server.address();
        std::array peers{connect_and_talk(server), connect_and_talk(server),
                         connect_and_talk(server)};
        server.signal(SIGTERM);
        for (RawPeer& peer : peers) {
            EXPECT_EQ(peer.read_to_end(), "");
            EXPECT_EQ(peer.ended(), Ended::by_fin);
            peer.close();
        }
        ASSERT_EQ(server.wait(), 0) << "cycle " << cycle << ": " << server.messages();
    }
}

}  // namespace
