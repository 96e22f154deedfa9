// SPDX-License-Identifier: MIT
//
// `berth serve proxy` as clients see it: real programs on free ports of loopback.

#include "server_process.hpp"
#include "support/raw_socket.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <system_error>

namespace {

using namespace berth::test;

Process::Words proxy_to(const berth::Endpoint& backend) {
    return {"proxy", "--listen", "tcp://127.0.0.1:0", "--to", backend.to_string()};
}

// The reset may be there before connect has returned.
Ended end_of_a_client(const berth::Endpoint& proxy) {
    try {
        RawPeer client = RawPeer::connect(proxy);
        EXPECT_EQ(client.read_to_end(), "");
        return client.ended();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::connection_reset) << error.what();
        return Ended::by_reset;
    }
}

TEST(Proxy, EchoesThroughAndSaysGoodbye) {
    ServerProcess server;
    ServerProcess proxy(proxy_to(server.endpoint()));
    RawPeer peer = RawPeer::connect(proxy.endpoint());
    peer.send("hello");
    EXPECT_EQ(peer.read(5), "hello");
    peer.end();
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_EQ(proxy.stop(), 0);
    EXPECT_EQ(server.stop(), 0);
}

TEST(Proxy, ALoadThroughItIsVerifiedByteByByte) {
    ServerProcess server;
    ServerProcess proxy(proxy_to(server.endpoint()));
    Process load(berth_words({"load", proxy.address(), "--connections", "20", "--size", "20000",
                              "--depth", "4", "--requests", "20"}));
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_EQ(proxy.stop(), 0) << proxy.messages();
    EXPECT_EQ(server.stop(), 0);
}

TEST(Proxy, AStopAnswersWhatWasAskedAndGivesThePortBack) {
    RawListener backend(loopback_endpoint());
    ServerProcess proxy(proxy_to(backend.endpoint()));
    RawPeer client = RawPeer::connect(proxy.endpoint());
    client.send("question");
    RawPeer server = backend.accept();
    EXPECT_EQ(server.read(8), "question");
    proxy.signal(SIGTERM);
    EXPECT_EQ(server.read_to_end(), "");
    server.send("answer");
    server.close();
    EXPECT_EQ(client.read_to_end(), "answer");
    EXPECT_EQ(client.ended(), Ended::by_fin);
    client.close();
    EXPECT_EQ(proxy.wait(), 0) << proxy.messages();  // 4, were the port still held
}

TEST(Proxy, AClientWhoseServerIsNotThereIsReset) {
    ServerProcess proxy(proxy_to(RawListener(loopback_endpoint()).endpoint()));
    EXPECT_EQ(end_of_a_client(proxy.endpoint()), Ended::by_reset);
    EXPECT_EQ(proxy.stop(), 0);
}

}  // namespace
