// SPDX-License-Identifier: MIT
//
// `berth load`: good servers pass, and every kind of bad one is told apart.
//
// Method: the real program against `berth serve echo`, or against a listener that misbehaves by
// script.

#include "server_process.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <string>

namespace {

using namespace berth::test;

// A load with JSON as its output.
class LoadProcess : public Process {
public:
    LoadProcess(const std::string& address, const Words& flags)
        : Process(load_words(address, flags)) {}

    nlohmann::json result() {
        wait();
        return nlohmann::json::parse(output());
    }

private:
    static Words load_words(const std::string& address, const Words& flags) {
        Words words = berth_words({"load", address, "--json"});
        words.insert(words.end(), flags.begin(), flags.end());
        return words;
    }
};

TEST(Load, VerifiesEveryByteAndSaysGoodbye) {
    ServerProcess server;
    LoadProcess load(server.address(), {"--connections", "20", "--size", "1000", "--depth", "4",
                                        "--duration", "300ms"});
    const auto result = load.result();
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_GT(result.at("requests"), 0);
    EXPECT_GT(result.at("requests_per_s"), 0);
    EXPECT_GT(result.at("bytes_per_s"), 0);
    EXPECT_EQ(result.at("ends").at("clean"), 20);
    EXPECT_EQ(result.at("unanswered"), 0);
    const auto& latency = result.at("latency_us");
    EXPECT_LE(latency.at("p50"), latency.at("p90"));
    EXPECT_LE(latency.at("p99"), latency.at("p999"));
    EXPECT_LE(latency.at("p999"), latency.at("max"));
    EXPECT_EQ(server.stop(), 0);
}

TEST(Load, SaysGoodbyeAfterSoManyRequests) {
    ServerProcess server;
    LoadProcess load(server.address(), {"--connections", "3", "--depth", "2", "--requests", "5"});
    const auto result = load.result();
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_EQ(result.at("requests"), 15);
    EXPECT_EQ(result.at("ends").at("clean"), 3);
    EXPECT_EQ(server.stop(), 0);
}

TEST(Load, MeasuresTheCpuTimeOfTheServer) {
    ServerProcess server;
    LoadProcess load(server.address(), {"--duration", "200ms", "--warm-up", "50ms", "--cpu-of",
                                        std::to_string(server.id())});
    const auto result = load.result();
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_GT(result.at("cpu_us_per_request"), 0);
    EXPECT_EQ(server.stop(), 0);
}

TEST(Load, ManagesTheSmallestAndTheLargestRequests) {
    ServerProcess server;
    for (const Process::Words& shape : {Process::Words{"--size", "1", "--depth", "16"},
                                        {"--size", "1MiB", "--depth", "16"},
                                        {"--size", "65521", "--depth", "1"}}) {
        Process::Words flags{"--connections", "2", "--duration", "200ms"};
        flags.insert(flags.end(), shape.begin(), shape.end());
        LoadProcess load(server.address(), flags);
        EXPECT_EQ(load.wait(), 0) << load.output() << load.messages();
    }
    EXPECT_EQ(server.stop(), 0);
}

TEST(Load, WaitsForAUnixListenerWhoseBacklogIsFull) {
    const TempDir folder;
    ServerProcess server(
        {"echo", "--listen", "unix://" + folder.file("echo.sock"), "--backlog", "4"});
    LoadProcess load(server.address(), {"--connections", "200", "--duration", "500ms"});
    EXPECT_EQ(load.result().at("ends").at("clean"), 200);
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_EQ(server.stop(), 0);
}

TEST(Load, KeepsToItsRate) {
    ServerProcess server;
    LoadProcess load(server.address(), {"--connections", "4", "--rate", "400", "--duration", "1s"});
    const auto result = load.result();
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_GE(result.at("requests").get<int>() + result.at("not_sent").get<int>(), 360);
    EXPECT_LE(result.at("requests"), 440);
    EXPECT_EQ(server.stop(), 0);
}

// ── Packets ──────────────────────────────────────────────────────────────────────────────────

TEST(LoadOfPackets, VerifiesEachAndSaysGoodbye) {
    const TempDir folder;
    ServerProcess server({"echo", "--listen", "unixpacket://" + folder.file("echo.sock")});
    for (const Process::Words& shape :
         {Process::Words{"--size", "1000", "--depth", "4", "--connections", "20"},
          {"--size", "1", "--depth", "64", "--connections", "2"},
          {"--size", "100000", "--depth", "16", "--connections", "2"},
          {"--size", "100", "--rate", "1000", "--connections", "2"}}) {
        Process::Words flags{"--duration", "200ms"};
        flags.insert(flags.end(), shape.begin(), shape.end());
        LoadProcess load(server.address(), flags);
        const auto result = load.result();
        EXPECT_EQ(load.wait(), 0) << load.output() << load.messages();
        EXPECT_GT(result.at("requests"), 0);
        EXPECT_EQ(result.at("ends").at("clean"), result.at("connections"));
        EXPECT_EQ(result.at("unanswered"), 0);
    }
    EXPECT_EQ(server.stop(), 0);
}

TEST(LoadOfPackets, SaysGoodbyeAfterSoManyRequests) {
    const TempDir folder;
    ServerProcess server({"echo", "--listen", "unixpacket://" + folder.file("echo.sock")});
    LoadProcess load(server.address(), {"--connections", "3", "--depth", "2", "--requests", "5"});
    const auto result = load.result();
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_EQ(result.at("requests"), 15);
    EXPECT_EQ(result.at("ends").at("clean"), 3);
    EXPECT_EQ(server.stop(), 0);
}

TEST(LoadOfPackets, TellsOneThatIsTooLongAndWhatToDo) {
    const TempDir folder;
    ServerProcess server({"echo", "--listen", "unixpacket://" + folder.file("echo.sock")});
    for (const char* const pace : {"1", "1000000000"}) {
        LoadProcess load(server.address(), {"--connections", "2", "--size", "16MiB", "--requests",
                                            "1", "--rate", pace});
        const auto result = load.result();
        EXPECT_EQ(load.wait(), 1) << load.output();
        EXPECT_EQ(result.at("ends").at("refused"), 2);
        EXPECT_NE(load.messages().find("lower --size"), std::string::npos) << load.messages();
    }
    EXPECT_EQ(server.stop(), 0);
}

// The bytes are right, their bounds are not. With the first packet it is decided: another one would
// be sent to who has left.
TEST(LoadOfPackets, CallsAnAnswerInSeveralPacketsCorrupt) {
    const TempDir folder;
    RawListener listener(*berth::Endpoint::parse("unixpacket://" + folder.file("echo.sock")));
    LoadProcess load(listener.endpoint().to_string(),
                     {"--connections", "1", "--size", "4", "--duration", "1h"});
    RawPeer server = listener.accept();
    const std::string request = server.read(4);
    server.send(request.substr(0, 2));
    EXPECT_EQ(load.result().at("ends").at("corrupt"), 1) << load.output();
    EXPECT_EQ(load.wait(), 1);
}

// ── Bad servers ──────────────────────────────────────────────────────────────────────────────

// One connection with requests of four bytes to a server that is the test.
class LoadAgainstAScript : public testing::Test {
protected:
    Process::Words flags{"--connections", "1", "--size", "4", "--depth", "1", "--duration", "1h"};
    RawListener listener{loopback_endpoint()};

    std::string address() const { return listener.endpoint().to_string(); }

    static void expect_end(LoadProcess& load, const char* end, int status) {
        const auto result = load.result();
        EXPECT_EQ(load.wait(), status) << load.output();
        EXPECT_EQ(result.at("ends").at(end), 1) << load.output();
    }
};

TEST_F(LoadAgainstAScript, CallsWrongBytesCorrupt) {
    LoadProcess load(address(), flags);
    RawPeer server = listener.accept();
    std::string request = server.read(4);
    request[3] ^= 1;
    server.send(request);
    expect_end(load, "corrupt", 1);
}

TEST_F(LoadAgainstAScript, CallsAnEndInsideAnAnswerShort) {
    LoadProcess load(address(), flags);
    RawPeer server = listener.accept();
    server.send(server.read(4).substr(0, 2));
    server.end();
    expect_end(load, "short", 1);
}

TEST_F(LoadAgainstAScript, CallsAnEndBetweenAnswersClosed) {
    LoadProcess load(address(), flags);
    RawPeer server = listener.accept();
    server.send(server.read(4));
    server.read(4);
    server.end();
    expect_end(load, "closed", 1);
}

TEST_F(LoadAgainstAScript, AllowsAnEndBetweenAnswersIfAskedTo) {
    flags.push_back("--allow-close");
    LoadProcess load(address(), flags);
    RawPeer server = listener.accept();
    server.read(4);
    server.end();
    expect_end(load, "closed", 0);
}

TEST_F(LoadAgainstAScript, TellsAReset) {
    LoadProcess load(address(), flags);
    RawPeer server = listener.accept();
    server.read(4);
    server.reset();
    expect_end(load, "reset", 1);
}

TEST_F(LoadAgainstAScript, TellsARefusalAndWhy) {
    listener.close();
    LoadProcess load(address(), flags);
    expect_end(load, "refused", 1);
    EXPECT_NE(load.messages().find(address()), std::string::npos) << load.messages();
}

TEST_F(LoadAgainstAScript, ReplacesALostConnectionIfAskedTo) {
    flags.push_back("--reconnect");
    LoadProcess load(address(), flags);
    listener.accept().reset();
    RawPeer second = listener.accept();
    second.send(second.read(4));
    second.read(4);
    load.signal(SIGINT);
    second.end();
    const auto result = load.result();
    EXPECT_EQ(result.at("ends").at("reset"), 1);
    EXPECT_EQ(result.at("requests"), 1);
}

TEST_F(LoadAgainstAScript, ReplacesAConnectionThatIsThroughAtOnce) {
    flags.insert(flags.end(), {"--reconnect", "--requests", "1"});
    LoadProcess load(address(), flags);
    RawPeer first = listener.accept();
    first.send(first.read(4));
    EXPECT_EQ(first.read(4), "");
    first.end();
    RawPeer second = listener.accept();
    second.read(4);
    load.signal(SIGINT);
    second.end();
    EXPECT_EQ(load.result().at("ends").at("clean"), 1);
}

TEST_F(LoadAgainstAScript, DoesNotCountTheWarmUp) {
    flags.insert(flags.end(), {"--warm-up", "1h"});
    LoadProcess load(address(), flags);
    RawPeer server = listener.accept();
    server.send(server.read(4));
    server.read(4);
    load.signal(SIGINT);
    server.end();
    EXPECT_EQ(load.result().at("requests"), 0);
}

TEST_F(LoadAgainstAScript, EndsEarlyWithItsResultOnAnInterrupt) {
    LoadProcess load(address(), flags);
    RawPeer server = listener.accept();
    std::string request = server.read(4);
    load.signal(SIGINT);
    for (; !request.empty(); request = server.read(4)) server.send(request);
    server.end();
    expect_end(load, "clean", 0);
}

}  // namespace
