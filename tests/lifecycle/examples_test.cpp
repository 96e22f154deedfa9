// SPDX-License-Identifier: MIT
//
// Examples: each does what its first lines promise.

#include "process.hpp"
#include "support/raw_datagram.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace berth::test;

class ExampleProcess : public Process {
public:
    explicit ExampleProcess(const std::string& name, const Words& more = {},
                            const std::string& address = "tcp://127.0.0.1:0")
        : Process(words(name, more, address)),
          endpoint_(*berth::Endpoint::parse(read_line().substr(std::string("listening ").size()))) {
    }

    std::string address() const { return endpoint_.to_string(); }
    const berth::Endpoint& endpoint() const { return endpoint_; }
    RawPeer connect() const { return RawPeer::connect(endpoint_); }
    int stop() {
        signal(SIGTERM);
        return wait();
    }

private:
    static Words words(const std::string& name, const Words& more, const std::string& address) {
        Words words{std::string(BERTH_EXAMPLES_DIR) + "/" + name, address};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

    berth::Endpoint endpoint_;
};

TEST(Examples, EchoEchoes) {
    ExampleProcess example("01_echo");
    RawPeer peer = example.connect();
    peer.send("hello\n");
    EXPECT_EQ(peer.read(6), "hello\n");
    peer.close();
    EXPECT_EQ(example.stop(), 0);
}

void expect_to_hear(RawPeer& peer, const std::string& text) {
    EXPECT_EQ(peer.read(text.size()), text);
}

TEST(Examples, ChatTellsEverybodyElse) {
    ExampleProcess example("02_chat");
    RawPeer anna = example.connect();
    expect_to_hear(anna, "Welcome, guest 1.\n");
    RawPeer bert = example.connect();
    expect_to_hear(anna, "guest 2: has come in\n");

    bert.send("good ");
    bert.send("morning\nhow are you?\n");
    expect_to_hear(anna, "guest 2: good morning\nguest 2: how are you?\n");

    bert.close();
    expect_to_hear(anna, "guest 2: has left\n");
    anna.close();
    EXPECT_EQ(example.stop(), 0);
}

TEST(Examples, ChatSaysGoodbyeWhenItStops) {
    ExampleProcess example("02_chat");
    RawPeer guest = example.connect();
    expect_to_hear(guest, "Welcome, guest 1.\n");
    example.signal(SIGTERM);
    EXPECT_EQ(guest.read_to_end(), "The server is closing. Goodbye!\n");
    guest.close();
    EXPECT_EQ(example.wait(), 0);
}

TEST(Examples, TimersTellTheTimeAndListen) {
    ExampleProcess example("04_timers");
    RawPeer guest = example.connect();
    guest.send("hello\n");
    expect_to_hear(guest, "I am listening.\n1 s\n");
    guest.close();
    EXPECT_EQ(example.stop(), 0);
}

// The answers to what is asked in one breath, until the server's goodbye.
std::string answers(ExampleProcess& example, const std::string& requests) {
    RawPeer peer = example.connect();
    peer.send(requests);
    return peer.read_to_end();
}

TEST(Examples, HttpAnswersPipelinedRequestsAndCloses) {
    ExampleProcess example("03_http");
    const std::string said =
        answers(example,
                "GET / HTTP/1.1\r\n\r\nGET /visits HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n"
                "CONNECTION: close\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(said,
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n\r\n"
              "Welcome aboard.\n"
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n1\n"
              "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n"
              "Connection: close\r\n\r\nThere is / and /visits.\n");
    EXPECT_EQ(example.stop(), 0);
}

TEST(Examples, ProxyCarriesBothWays) {
    ExampleProcess server("01_echo");
    ExampleProcess proxy("08_proxy", {server.address()});
    RawPeer peer = proxy.connect();
    peer.send("through and back");
    EXPECT_EQ(peer.read(16), "through and back");
    peer.close();
    EXPECT_EQ(proxy.stop(), 0);
    EXPECT_EQ(server.stop(), 0);
}

TEST(Examples, ClientPoolAnswersManyClientsOverFewConnections) {
    ExampleProcess server("01_echo");
    ExampleProcess pool("09_client_pool", {server.address()});
    std::vector<RawPeer> peers;
    for (int i = 0; i < 20; ++i) peers.push_back(pool.connect());
    for (std::size_t i = 0; i < peers.size(); ++i)
        peers[i].send("line " + std::to_string(i) + "\n");
    for (std::size_t i = 0; i < peers.size(); ++i) {
        expect_to_hear(peers[i], "line " + std::to_string(i) + "\n");
    }
    for (RawPeer& peer : peers) peer.close();
    EXPECT_EQ(pool.stop(), 0);
    EXPECT_EQ(server.stop(), 0);
}

TEST(Examples, ClientPoolAsksAgainWhereAConnectionBroke) {
    RawListener server(loopback_endpoint());
    ExampleProcess pool("09_client_pool", {server.endpoint().to_string()});
    RawPeer peer = pool.connect();
    peer.send("anybody?\n");
    RawPeer broken = server.accept();
    EXPECT_EQ(broken.read(9), "anybody?\n");
    broken.reset();
    RawPeer link = server.accept();
    EXPECT_EQ(link.read(9), "anybody?\n");
    link.send("yes\n");
    EXPECT_EQ(peer.read(4), "yes\n");
    peer.close();
    link.close();
    EXPECT_EQ(pool.stop(), 0);
}

TEST(Examples, HttpTakesNoBodies) {
    ExampleProcess example("03_http");
    const std::string body = "GET / HTTP/1.1\r\n\r\n";
    const std::string length = "content-length: " + std::to_string(body.size()) + "\r\n\r\n";
    EXPECT_TRUE(
        answers(example, "POST / HTTP/1.1\r\n" + length + body).starts_with("HTTP/1.1 405"));
    const std::string said = answers(example, "GET /visits HTTP/1.1\r\n" + length + body);
    EXPECT_TRUE(said.ends_with("Connection: close\r\n\r\n1\n")) << said;
    EXPECT_EQ(example.stop(), 0);
}

TEST(Examples, PushTellsTheTimeUntilItStops) {
    ExampleProcess example("06_push");
    RawPeer first = example.connect();
    RawPeer second = example.connect();
    for (RawPeer* peer : {&first, &second}) {
        const std::string told = peer->read(28);  // two lines of 13 digits
        EXPECT_EQ(told[13], '\n') << told;
        EXPECT_LE(told.substr(0, 13), told.substr(14, 13));
    }
    first.close();
    second.close();
    EXPECT_EQ(example.stop(), 0);
}

TEST(Examples, DatagramsAreNumberedForEachPeer) {
    ExampleProcess example("10_datagrams", {}, "udp://127.0.0.1:0");
    RawDatagramSocket one(example.endpoint());
    RawDatagramSocket two(example.endpoint());
    const auto answer = [&](RawDatagramSocket& peer, const std::string& text) {
        peer.send_to(example.endpoint(), text);
        return peer.read().bytes;
    };
    EXPECT_EQ(answer(one, "a"), "1 a");
    EXPECT_EQ(answer(two, "b"), "1 b");
    EXPECT_EQ(answer(one, "c"), "2 c");
    EXPECT_EQ(example.stop(), 0);
    EXPECT_EQ(one.read().bytes, "goodbye\n");
    EXPECT_EQ(two.read().bytes, "goodbye\n");
}

TEST(Examples, UnixFilesAreHandedOverOpen) {
    const TempDir folder;
    const std::string path = folder.file("note");
    std::ofstream(path) << "a line of the file\n";
    ExampleProcess example("11_unix_files", {}, "unixpacket://" + folder.file("files.sock"));
    Process reader({std::string(BERTH_EXAMPLES_DIR) + "/11_unix_files", example.address(), path});
    EXPECT_EQ(reader.read_line(), "a line of the file");
    EXPECT_EQ(reader.wait(), 0);
    Process disappointed({std::string(BERTH_EXAMPLES_DIR) + "/11_unix_files", example.address(),
                          folder.file("nothing")});
    EXPECT_EQ(disappointed.wait(), 1);
    EXPECT_EQ(example.stop(), 0);
    Process late({std::string(BERTH_EXAMPLES_DIR) + "/11_unix_files", example.address(), path});
    EXPECT_EQ(late.wait(), 1) << "nobody is there";
}

TEST(Examples, OffloadAnswersSlowQuestionsInOrder) {
    ExampleProcess example("07_offload");
    RawPeer peer = example.connect();
    std::string expected;
    for (int i = 0; i < 100; ++i) {  // more than it keeps waiting
        peer.send(i % 2 == 0 ? "1000000\n" : "10\n");
        expected += i % 2 == 0 ? "78498 primes below 1000000\n" : "4 primes below 10\n";
    }
    peer.send("ten\n");
    expected += "a number up to 100000000, please\n";
    EXPECT_EQ(peer.read(expected.size()), expected);
    peer.close();
    EXPECT_EQ(example.stop(), 0);
}

}  // namespace
