// SPDX-License-Identifier: MIT
//
// `berth serve` as scripts and service managers see it: lines, descriptors, exit statuses.
//
// Method: the real program on free ports of loopback, and scripted peers.

#include "server_process.hpp"
#include "support/eventually.hpp"
#include "support/notify_receiver.hpp"
#include "support/raw_socket.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>

namespace {

using namespace berth::test;

nlohmann::json json_of(const std::string& file) {
    std::ifstream stream(file);
    return nlohmann::json::parse(stream);
}

// Sends to a server that echoes, and reads nothing, until both sides are stuck: a connection
// that a graceful stop has to wait for.
void fill(RawPeer& peer) {
    constexpr auto kStuckFor = std::chrono::milliseconds{200};
    const std::string piece(65'536, 'x');
    auto moved_at = std::chrono::steady_clock::now();
    const auto is_stuck = [&] {
        const auto now = std::chrono::steady_clock::now();
        if (peer.send_now(piece) > 0) moved_at = now;
        return now - moved_at > kStuckFor;
    };
    ASSERT_TRUE(eventually(is_stuck));
}

TEST(Serve, SaysWhereItListensInTheOrderGivenThenThatItIsReady) {
    const TempDir folder;
    const std::string path = "unix://" + folder.file("echo.sock");
    ServerProcess server({"echo", "--listen", "tcp://127.0.0.1:0", "--listen", path, "--listen",
                          "tcp://127.0.0.1:0", "--loops", "2"});
    ASSERT_EQ(server.endpoints().size(), 3u);
    EXPECT_NE(server.endpoints()[0].port(), 0);
    EXPECT_EQ(server.endpoints()[1].name(), folder.file("echo.sock"));
    EXPECT_NE(server.endpoints()[2].port(), 0);
    EXPECT_NE(server.endpoints()[2].port(), server.endpoints()[0].port());
    EXPECT_EQ(server.stop(), 0);
    EXPECT_EQ(server.output(), "") << "nothing after ready";
}

TEST(Serve, EchoesOnEveryAddress) {
    ServerProcess server({"echo", "--listen", "tcp://127.0.0.1:0", "--listen",
                          "unix:@berth-test-" + std::to_string(::getpid())});
    for (const berth::Endpoint& endpoint : server.endpoints()) {
        RawPeer peer = RawPeer::connect(endpoint);
        peer.send("hello");
        EXPECT_EQ(peer.read(5), "hello");
    }
    EXPECT_EQ(server.stop(), 0);
}

TEST(Serve, DiscardsWithoutAnAnswer) {
    ServerProcess server({"discard", "--listen", "tcp://127.0.0.1:0"});
    RawPeer peer = RawPeer::connect(server.endpoint());
    peer.send("hello");
    peer.end();
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    EXPECT_EQ(server.stop(), 0);
}

TEST(Serve, WritesANewlineToTheReadyDescriptor) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    ServerProcess server(
        {"echo", "--listen", "tcp://127.0.0.1:0", "--ready-fd", std::to_string(ends[1])});
    ::close(ends[1]);
    EXPECT_EQ(server.stop(), 0);
    std::array<char, 8> bytes{};
    EXPECT_EQ(::read(ends[0], bytes.data(), bytes.size()), 1);
    EXPECT_EQ(bytes[0], '\n');
    ::close(ends[0]);
}

TEST(Serve, EndsWithTheReportAsItsLastMessage) {
    for (const int signal : {SIGTERM, SIGINT}) {
        ServerProcess server;
        server.signal(signal);
        EXPECT_EQ(server.wait(), 0);
        EXPECT_NE(server.last_message().find("clean"), std::string::npos) << server.messages();
    }
}

TEST(Serve, WritesTheReportAsJson) {
    const TempDir folder;
    ServerProcess server(
        {"echo", "--listen", "tcp://127.0.0.1:0", "--report", folder.file("stop.json")});
    EXPECT_EQ(server.stop(), 0);
    const auto report = json_of(folder.file("stop.json"));
    EXPECT_EQ(report.at("outcome"), "clean");
    EXPECT_EQ(report.at("requested_by"), "signal 15");
    for (const char* field : {"/version",
                              "/deadline_ms",
                              "/duration_ms",
                              "/phases",
                              "/connections/at_start",
                              "/connections/opened_during_stop",
                              "/connections/closed",
                              "/connections/forced",
                              "/bytes/written",
                              "/bytes/acknowledged",
                              "/bytes/discarded",
                              "/bytes/unconfirmed",
                              "/bytes/received_after_fin",
                              "/listeners/0/address",
                              "/listeners/0/quiesce",
                              "/listeners/0/released",
                              "/tasks/run",
                              "/tasks/cancelled",
                              "/loops/joined",
                              "/loops/stuck",
                              "/descriptors/before",
                              "/descriptors/after"}) {
        EXPECT_TRUE(report.contains(nlohmann::json::json_pointer(field))) << field;
    }
    EXPECT_EQ(report["listeners"][0]["released"], true);
    EXPECT_EQ(report["descriptors"]["before"], report["descriptors"]["after"]);
}

TEST(Serve, ReportsThatItCouldNotStart) {
    const TempDir folder;
    ServerProcess holder;
    Process second(berth_words(
        {"serve", "echo", "--listen", holder.address(), "--report", folder.file("stop.json")}));
    EXPECT_EQ(second.wait(), 1);
    EXPECT_EQ(second.output(), "") << "no address was promised";
    EXPECT_NE(second.last_message().find(holder.address()), std::string::npos);
    const auto report = json_of(folder.file("stop.json"));
    EXPECT_EQ(report.at("outcome"), "failed");
    EXPECT_EQ(holder.stop(), 0);
}

TEST(Serve, LetsAClientReadWhatItIsOwedBeforeItStops) {
    ServerProcess server;
    RawPeer peer = RawPeer::connect_with_small_buffer(server.endpoint());
    fill(peer);
    server.signal(SIGTERM);
    EXPECT_FALSE(peer.read_to_end().empty());
    EXPECT_EQ(peer.ended(), Ended::by_fin);
    peer.close();
    EXPECT_EQ(server.wait(), 0);
}

TEST(Serve, LeavesOneSecondAfterTheSameSignalAgain) {
    const TempDir folder;
    NotifyReceiver manager(folder.file("notify"));
    ServerProcess server(
        {"echo", "--listen", "tcp://127.0.0.1:0", "--report", folder.file("stop.json")},
        {"NOTIFY_SOCKET=" + folder.file("notify")});
    RawPeer peer = RawPeer::connect_with_small_buffer(server.endpoint());
    fill(peer);
    server.signal(SIGTERM);
    ASSERT_TRUE(manager.hears("STOPPING=1"));
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 3);
    const auto report = json_of(folder.file("stop.json"));
    EXPECT_EQ(report.at("outcome"), "forced");
    EXPECT_EQ(report.at("connections").at("forced"), 1);
    EXPECT_GE(report.at("duration_ms"), 900);
    EXPECT_LT(report.at("duration_ms"), 10'000) << "not the 30 s of --drain";
}

TEST(Serve, StopsAtOnceAtTheThirdSignal) {
    const TempDir folder;
    ServerProcess server(
        {"echo", "--listen", "tcp://127.0.0.1:0", "--report", folder.file("stop.json")});
    RawPeer peer = RawPeer::connect_with_small_buffer(server.endpoint());
    fill(peer);
    // Signals that arrive together count once (signal(7)), so send until it is gone.
    const auto has_ended = [&] { return server.has_ended(); };
    const auto insist = [&] {
        server.signal(SIGTERM);
        let_others_run();
    };
    ASSERT_TRUE(eventually(has_ended, insist, kNothingToShow));
    EXPECT_EQ(server.wait(), 3);
    EXPECT_LT(json_of(folder.file("stop.json")).at("duration_ms"), 900);
}

TEST(Serve, ExplainsWrongUsageOnStandardErrorWithStatusTwo) {
    Process program(berth_words({"serve", "echo", "--drain", "soon"}));
    EXPECT_EQ(program.wait(), 2);
    EXPECT_EQ(program.output(), "");
    EXPECT_NE(program.messages().find("--drain: 'soon'"), std::string::npos);
}

TEST(Serve, RefusesOptionsThatContradictEachOtherAsWrongUsage) {
    Process program(berth_words({"serve", "echo", "--listen", "tcp://127.0.0.1:0", "--output-high",
                                 "1K", "--output-low", "2K"}));
    EXPECT_EQ(program.wait(), 2);
    EXPECT_NE(program.messages().find("output_low"), std::string::npos) << program.messages();
}

TEST(Serve, AnswersHelpWithExamplesAndNoColour) {
    for (const Process::Words& words : {Process::Words{"--help"},
                                        {"serve", "--help"},
                                        {"load", "--help"},
                                        {"port", "--help"},
                                        {"timeline", "--help"}}) {
        Process program(berth_words(words));
        EXPECT_EQ(program.wait(), 0);
        EXPECT_NE(program.output().find("Examples:"), std::string::npos);
        EXPECT_EQ(program.output().find('\x1b'), std::string::npos);
    }
}

}  // namespace
