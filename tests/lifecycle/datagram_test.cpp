// SPDX-License-Identifier: MIT
//
// `berth serve` and `berth load` over UDP: verified, loss-tolerant, told apart from nobody.

#include "server_process.hpp"
#include "support/raw_datagram.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace {

using namespace berth::test;

nlohmann::json result_of(Process& load) {
    load.wait();
    return nlohmann::json::parse(load.output());
}

Process load_of(const std::string& address, const Process::Words& flags) {
    Process::Words words = berth_words({"load", address, "--json"});
    words.insert(words.end(), flags.begin(), flags.end());
    return Process(words);
}

TEST(ServingDatagrams, AreEchoedAndEveryByteIsVerified) {
    ServerProcess server({"echo", "--listen", "udp://127.0.0.1:0", "--loops", "2"});
    Process load = load_of(server.address(), {"--connections", "8", "--depth", "4", "--size",
                                              "1000", "--duration", "300ms", "--loops", "2"});
    const auto result = result_of(load);
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_GT(result.at("requests"), 0);
    EXPECT_EQ(result.at("ends").at("clean"), 8);
    EXPECT_EQ(result.at("unanswered"), 0);
    EXPECT_EQ(server.stop(), 0);
}

TEST(ServingDatagrams, AreEchoedBySessionsAndGroups) {
    ServerProcess server({"echo", "--listen", "udp4://:0", "--udp-sessions", "true",
                          "--udp-session-idle", "10s", "--udp-sessions-max", "100", "--multicast",
                          "239.77.0.9%lo", "--multicast", "239.77.0.8%lo", "--gro", "true"});
    const std::string address = reachable(server.endpoint()).to_string();
    Process load = load_of(
        address, {"--connections", "8", "--depth", "4", "--size", "1000", "--duration", "300ms"});
    const auto result = result_of(load);
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_GT(result.at("requests"), 0);
    EXPECT_EQ(result.at("ends").at("clean"), 8);
    EXPECT_EQ(server.stop(), 0);
}

TEST(ServingDatagrams, EndAfterSoManyRequests) {
    ServerProcess server({"echo", "--listen", "udp://127.0.0.1:0"});
    Process load = load_of(server.address(), {"--connections", "3", "--requests", "5"});
    const auto result = result_of(load);
    EXPECT_EQ(load.wait(), 0) << load.messages();
    EXPECT_EQ(result.at("requests").get<int>() + result.at("lost").get<int>(), 15);
    EXPECT_EQ(server.stop(), 0);
}

TEST(ServingDatagrams, ThatNobodyAnswersAreLostAndAnError) {
    ServerProcess server({"discard", "--listen", "udp://127.0.0.1:0"});
    Process load = load_of(server.address(), {"--connections", "2", "--requests", "1"});
    const auto result = result_of(load);
    EXPECT_EQ(load.wait(), 1);
    EXPECT_EQ(result.at("requests"), 0);
    EXPECT_EQ(result.at("lost"), 2);
    EXPECT_EQ(result.at("ends").at("timed_out"), 2);
    EXPECT_EQ(server.stop(), 0);
}

TEST(ServingDatagrams, WithOtherBytesAreCorrupt) {
    RawDatagramSocket liar(*berth::Endpoint::parse("udp://127.0.0.1:0"));
    Process load =
        load_of(liar.endpoint().to_string(), {"--connections", "1", "--duration", "60s"});
    Letter asked = liar.read();
    asked.bytes.back() = static_cast<char>(asked.bytes.back() + 1);
    liar.send_to({berth::Scheme::udp, asked.from}, asked.bytes);
    const auto result = result_of(load);
    EXPECT_EQ(load.wait(), 1);
    EXPECT_EQ(result.at("ends").at("corrupt"), 1);
}

}  // namespace
