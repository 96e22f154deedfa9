// SPDX-License-Identifier: MIT
//
// Examples: each does what its first lines promise.

#include "process.hpp"
#include "support/raw_socket.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace {

using namespace berth::test;

class ExampleProcess : public Process {
public:
    explicit ExampleProcess(const std::string& name)
        : Process({std::string(BERTH_EXAMPLES_DIR) + "/" + name, "tcp://127.0.0.1:0"}),
          endpoint_(*berth::Endpoint::parse(read_line().substr(std::string("listening ").size()))) {
    }

    RawPeer connect() const { return RawPeer::connect(endpoint_); }
    int stop() {
        signal(SIGTERM);
        return wait();
    }

private:
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

}  // namespace
