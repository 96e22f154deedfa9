// SPDX-License-Identifier: MIT
//
// `berth serve http` as its clients see it, over every driver.
//
// Method: the real program on a free port of loopback, and scripted peers.

#include "server_process.hpp"
#include "support/eventually.hpp"
#include "support/notify_receiver.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace berth::test;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
constexpr std::string_view kPage = "Hello, world!\n";

struct HttpAnswer {
    std::string head;
    std::string body;

    int status() const { return std::stoi(head.substr(std::string_view("HTTP/1.1 ").size())); }
    bool says(std::string_view field) const {
        return head.find("\r\n" + std::string(field) + "\r\n") != std::string::npos;
    }
};

std::string read_head(RawPeer& peer) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        const std::string one = peer.read(1);
        if (one.empty()) throw std::runtime_error("the stream ended inside a head: " + head);
        head += one;
    }
    return head;
}

HttpAnswer read_answer(RawPeer& peer) {
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    HttpAnswer answer{.head = read_head(peer), .body = {}};
    const auto at = answer.head.find(kLength);
    if (at == std::string::npos) throw std::runtime_error("no length: " + answer.head);
    answer.body = peer.read(std::stoul(answer.head.substr(at + kLength.size())));
    return answer;
}

class Http : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        const char* const only = std::getenv("BERTH_DRIVER");
        if (only != nullptr && only != std::string_view(GetParam())) {
            GTEST_SKIP() << "BERTH_DRIVER names another";
        }
    }

    // Returns whether there is a server: one whose driver the kernel forbids is a test skipped.
    void start(Process::Words words = {}) {
        words.insert(words.begin(), {"http", "--listen", "tcp://127.0.0.1:0"});
        if (std::getenv("BERTH_DRIVER") == nullptr) {
            words.insert(words.end(), {"--driver", GetParam()});
        }
        server_ = std::make_unique<ServerProcess>(
            words, Process::Words{"NOTIFY_SOCKET=" + dir_.file("notify")});
    }
    ServerProcess& server() { return *server_; }
    NotifyReceiver& manager() { return manager_; }
    RawPeer connect() { return RawPeer::connect(server().endpoint()); }
    HttpAnswer ask(std::string_view request) {
        RawPeer peer = connect();
        peer.send(request);
        return read_answer(peer);
    }
    // What comes until the server's goodbye.
    std::string all(std::string_view requests) {
        RawPeer peer = connect();
        peer.send(requests);
        std::string answers = peer.read_to_end();
        EXPECT_EQ(peer.ended(), Ended::by_fin);
        return answers;
    }

private:
    TempDir dir_;
    NotifyReceiver manager_{dir_.file("notify")};
    std::unique_ptr<ServerProcess> server_;
};

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

TEST_P(Http, AnswersOneAfterTheOtherOnOneConnection) {
    start();
    RawPeer peer = connect();
    for (int i = 0; i < 3; ++i) {
        peer.send(kGet);
        const HttpAnswer answer = read_answer(peer);
        EXPECT_EQ(answer.status(), 200);
        EXPECT_EQ(answer.body, kPage);
        EXPECT_FALSE(answer.says("Connection: close"));
        EXPECT_EQ(count(answer.head, "\r\nDate: "), 1u);
    }
    peer.close();
    EXPECT_EQ(server().stop(), 0);
}

TEST_P(Http, AnswersARequestSplitAnywhere) {
    start();
    RawPeer peer = connect();
    for (std::size_t split = 1; split < kGet.size(); ++split) {
        peer.send(kGet.substr(0, split));
        let_others_run();
        peer.send(kGet.substr(split));
        ASSERT_EQ(read_answer(peer).status(), 200) << split;
    }
    for (const char one : kGet) {
        peer.send({&one, 1});
        let_others_run();
    }
    EXPECT_EQ(read_answer(peer).status(), 200);
    peer.close();
    EXPECT_EQ(server().stop(), 0);
}

TEST_P(Http, AnswersPipelinedRequestsInOrder) {
    start();
    std::string requests;
    for (int i = 0; i < 500; ++i) {
        requests.append(kGet).append("HEAD / HTTP/1.1\r\nHost: here\r\n\r\n");
        requests.append("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello");
    }
    requests += "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    const std::string answers = all(requests + std::string(kGet));
    EXPECT_EQ(count(answers, "HTTP/1.1 200 OK\r\n"), 1001u);
    EXPECT_EQ(count(answers, kPage), 501u) << "none to HEAD";
    EXPECT_EQ(count(answers, "HTTP/1.1 405 "), 500u);
    EXPECT_EQ(count(answers, "Connection: close"), 1u);
    EXPECT_EQ(server().stop(), 0);
}

TEST_P(Http, SkipsABodyInPiecesOfAnySize) {
    start();
    RawPeer peer = connect();
    const std::string body(300'000, '\n');
    peer.send("PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 300000\r\n\r\n");
    const HttpAnswer answer = read_answer(peer);
    EXPECT_EQ(answer.status(), 405);
    EXPECT_TRUE(answer.says("Allow: GET, HEAD"));
    peer.send(body + std::string(kGet));
    EXPECT_EQ(read_answer(peer).body, kPage);
    peer.close();
    EXPECT_EQ(server().stop(), 0);
}

TEST_P(Http, SpeaksTheOldVersion) {
    start();
    const std::string once = all("GET / HTTP/1.0\r\n\r\n");
    EXPECT_NE(once.find("\r\nConnection: close\r\n"), std::string::npos) << once;
    RawPeer peer = connect();
    for (int i = 0; i < 2; ++i) {
        peer.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_TRUE(read_answer(peer).says("Connection: keep-alive"));
    }
    peer.close();
    EXPECT_EQ(server().stop(), 0);
}

TEST_P(Http, AnswersWhatItCannotReadAndCloses) {
    start();
    const std::pair<const char*, std::string> refusals[] = {
        {"400", "hello\r\n\r\n"},
        {"400", "GET / HTTP/1.1\r\n\r\n"},
        {"411", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"431", "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(9'000, 'x')},
        {"414", "GET /" + std::string(9'000, 'x')},
        {"501", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"505", "GET / HTTP/3.0\r\nHost: x\r\n\r\n"},
    };
    for (const auto& [status, request] : refusals) {
        const std::string answers = all(std::string(kGet) + request + std::string(kGet));
        EXPECT_EQ(count(answers, "HTTP/1.1 "), 2u) << answers;
        EXPECT_EQ(count(answers, std::string("HTTP/1.1 ") + status), 1u) << answers;
        EXPECT_EQ(count(answers, "\r\nConnection: close\r\n"), 1u) << answers;
    }
    EXPECT_EQ(server().stop(), 0);
}

TEST_P(Http, ClosesAnIdleConnectionWhenItStops) {
    start();
    RawPeer peer = connect();
    peer.send(kGet);
    EXPECT_FALSE(read_answer(peer).says("Connection: close"));
    server().signal(SIGTERM);
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    peer.close();
    EXPECT_EQ(server().wait(), 0);
}

TEST_P(Http, SaysInTheLastAnswerThatItStops) {
    start({"--lame-duck", "60s"});
    RawPeer peer = connect();
    peer.send(kGet);
    EXPECT_FALSE(read_answer(peer).says("Connection: close"));
    server().signal(SIGTERM);
    ASSERT_TRUE(manager().hears("STOPPING=1"));
    peer.send(std::string(kGet) + std::string(kGet));
    EXPECT_FALSE(read_answer(peer).says("Connection: close")) << "another one follows";
    EXPECT_TRUE(read_answer(peer).says("Connection: close"));
    EXPECT_EQ(peer.read_to_end(), "");
    peer.close();
    EXPECT_TRUE(ask(kGet).says("Connection: close")) << "a newcomer";
    server().signal(SIGTERM);
    EXPECT_EQ(server().wait(), 0);
}

TEST_P(Http, WaitsForTheRestOfARequestWhenItStops) {
    start();
    RawPeer begun = connect();
    begun.send("GET / HTTP/1.1\r\nHo");
    RawPeer sending = connect();
    sending.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n1234");
    EXPECT_EQ(read_answer(sending).status(), 405);
    RawPeer idle = connect();
    idle.send(kGet);
    EXPECT_EQ(read_answer(idle).status(), 200) << "so the others were read, too";
    server().signal(SIGTERM);
    EXPECT_EQ(idle.read_to_end(), "");
    begun.send("st: here\r\n\r\n");
    EXPECT_TRUE(read_answer(begun).says("Connection: close"));
    EXPECT_EQ(begun.read_to_end(), "");
    sending.send("56789");
    EXPECT_EQ(sending.read_to_end(), "");
    EXPECT_EQ(sending.ended(), Ended::by_fin);
    for (RawPeer* peer : {&begun, &sending, &idle}) peer->close();
    EXPECT_EQ(server().wait(), 0);
}

TEST_P(Http, ForgetsAPeerThatLeavesInsideARequest) {
    start();
    RawPeer peer = connect();
    peer.send("GET / HT");
    peer.end();
    EXPECT_EQ(peer.read_to_end(), "");
    peer.close();
    EXPECT_EQ(server().stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(On, Http, testing::Values("epoll", "uring"),
                         [](const auto& place) { return std::string(place.param); });

}  // namespace
