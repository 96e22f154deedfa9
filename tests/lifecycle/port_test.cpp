// SPDX-License-Identifier: MIT
//
// `berth port`: each cause, made for real, and what is said about it.
//
// Method: the test holds an address in one way or another, and asks the program.

#include "process.hpp"
#include "support/raw_port.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

using namespace berth::test;
using nlohmann::json;

struct PortAnswer {
    json said;
    int status = -1;
};

PortAnswer ask(const std::string& address, const Process::Words& before = {}) {
    Process::Words words = before;
    const auto question = berth_words({"port", address, "--json"});
    words.insert(words.end(), question.begin(), question.end());
    Process process(words);
    const int status = process.wait();
    return {json::parse(process.output(), nullptr, false), status};
}

void expect_busy(const std::string& address, const char* cause, const char* certainty) {
    const auto [said, status] = ask(address);
    ASSERT_TRUE(said.is_object());
    EXPECT_EQ(status, 1);
    EXPECT_EQ(said.at("address"), address);
    EXPECT_EQ(said.at("state"), "busy");
    EXPECT_EQ(said.at("cause"), cause) << said.dump(2);
    EXPECT_EQ(said.at("certainty"), certainty) << said.dump(2);
    EXPECT_NE(said.at("remedy"), "");
}

void expect_free(const std::string& address) {
    const auto [said, status] = ask(address);
    ASSERT_TRUE(said.is_object());
    EXPECT_EQ(said.at("state"), "free") << said.dump(2);
    EXPECT_EQ(status, 0);
}

// ── Listeners ────────────────────────────────────────────────────────────────────────────────

TEST(Port, IsFreeWhenNobodyIsThere) {
    OwnedDescriptor listener = listening();
    const std::string address = address_of(listener);
    listener.close();
    expect_free(address);
}

TEST(Port, NamesALiveListener) {
    const OwnedDescriptor listener = listening();
    const json said = ask(address_of(listener)).said;
    EXPECT_EQ(said.at("cause"), "LiveListener");
    EXPECT_EQ(said.at("certainty"), "proven");
    ASSERT_EQ(said.at("holders").size(), 1u);
    const json& holder = said.at("holders").at(0);
    EXPECT_EQ(holder.at("pid"), getpid());
    EXPECT_EQ(holder.at("uid"), geteuid());
    EXPECT_EQ(holder.at("fd"), listener.number());
    EXPECT_EQ(said.at("states"), (json{{"LISTEN", 1}}));
    EXPECT_TRUE(said.at("since").get<std::string>().starts_with("20"));
}

TEST(Port, UnderstandsABareNumber) {
    const OwnedDescriptor listener = listening(0, {}, "0.0.0.0");
    const std::string number = std::to_string(port_of(listener));
    const json said = ask(number).said;
    EXPECT_EQ(said.at("address"), "tcp://[::]:" + number);
    EXPECT_EQ(said.at("state"), "busy");
}

TEST(Port, NamesAWiderAddress) {
    const OwnedDescriptor listener = listening(0, {}, "0.0.0.0");
    expect_busy(address_of(listener), "Overlap", "proven");
}

TEST(Port, TellsAnotherAddressApart) {
    const OwnedDescriptor listener = listening(0, {}, "127.0.0.2");
    expect_free(address_of(listener));
}

TEST(Port, DoesNotTakeANameForTheManager) {
    std::array<char, 16> name{};
    prctl(PR_GET_NAME, name.data());
    prctl(PR_SET_NAME, "systemd");
    const OwnedDescriptor listener = listening();
    expect_busy(address_of(listener), "SystemdSocket", "likely");
    prctl(PR_SET_NAME, name.data());
}

TEST(Port, FindsAListenerThatIsInNoProcess) {
    OwnedDescriptor listener = listening();
    const std::string address = address_of(listener);
    const auto carrier = in_flight(std::move(listener));
    expect_busy(address, "HolderHidden", "likely");
}

TEST(Port, WaitsUntilItIsFree) {
    OwnedDescriptor listener = listening();
    Process waiting(berth_words({"port", address_of(listener), "--wait", "1h"}));
    EXPECT_FALSE(waiting.has_ended());
    listener.close();
    EXPECT_EQ(waiting.wait(), 0) << waiting.output();
}

TEST(Port, WaitsNoLongerThanItMay) {
    const OwnedDescriptor listener = listening();
    Process waiting(berth_words({"port", address_of(listener), "--wait", "30ms"}));
    EXPECT_EQ(waiting.wait(), 1);
}

// ── Other sockets ────────────────────────────────────────────────────────────────────────────

TEST(Port, NamesWhoIsBoundAndDoesNotListen) {
    const OwnedDescriptor socket = bound();
    expect_busy(address_of(socket), "BoundNotListening", "proven");
}

TEST(Port, IsFreeWhereTheOtherAllowsReuse) {
    const OwnedDescriptor socket = bound(0, {.reuse_address = true});
    expect_free(address_of(socket));
}

struct Conversation {
    explicit Conversation(RawFlags flags) : listener(listening(0, flags)) {
        address = address_of(listener);
        client = connected(port_of(listener));
        server = accepted(listener);
        listener.close();
    }

    OwnedDescriptor listener;
    std::string address;
    OwnedDescriptor client;
    OwnedDescriptor server;
};

TEST(Port, CountsWhatAServerWithoutReuseLeft) {
    Conversation conversation({});
    conversation.server.close();  // first: the TIME_WAIT is the server's
    conversation.client.close();
    expect_busy(conversation.address, "LeftoverNoReuse", "likely");
    const json said = ask(conversation.address).said;
    EXPECT_EQ(said.at("states"), (json{{"TIME_WAIT", 1}}));
    EXPECT_GT(said.at("retry_after_ms"), 50'000);
    EXPECT_EQ(said.at("holders").size(), 0u);
}

TEST(Port, IsFreeAfterAServerWithReuse) {
    Conversation conversation({.reuse_address = true});
    conversation.server.close();
    conversation.client.close();
    expect_free(conversation.address);
}

TEST(Port, NamesWhoStillHasConnections) {
    const Conversation conversation({});
    expect_busy(conversation.address, "LeftoverConnections", "likely");
    EXPECT_EQ(ask(conversation.address).said.at("holders").at(0).at("pid"), getpid());
}

TEST(Port, NamesAnOutgoingConnection) {
    const OwnedDescriptor server = listening();
    const OwnedDescriptor client = connected(port_of(server));
    expect_busy(address_of(client), "EphemeralCollision", "likely");
}

TEST(Port, NamesAConnectionToItself) {
    OwnedDescriptor socket = bound();
    const std::uint16_t port = port_of(socket);
    const OwnedDescriptor itself = connected(port, std::move(socket));
    expect_busy(address_of(itself), "SelfConnect", "proven");
}

TEST(Port, NamesAReceiverOfDatagrams) {
    const OwnedDescriptor socket = bound(0, {.is_udp = true});
    expect_busy("udp://127.0.0.1:" + std::to_string(port_of(socket)), "LiveListener", "proven");
    expect_free(address_of(socket));
}

// ── Users ────────────────────────────────────────────────────────────────────────────────────

constexpr uid_t kNobody = 65534;

TEST(Port, NamesASharedPortOfAnotherUser) {
    if (geteuid() != 0) GTEST_SKIP() << "to become another user takes root";
    ASSERT_EQ(seteuid(kNobody), 0);
    const OwnedDescriptor first = listening(0, {.reuse_port = true});
    const OwnedDescriptor second = listening(port_of(first), {.reuse_port = true});
    ASSERT_EQ(seteuid(0), 0);
    expect_busy(address_of(first), "UidMismatch", "proven");
}

TEST(Port, SaysWhenAnotherUsersProcessCannotBeSeen) {
    if (geteuid() != 0) GTEST_SKIP() << "to become another user takes root";
    const Process::Words as_nobody{"/usr/bin/setpriv", "--reuid=65534", "--clear-groups"};
    if (Process(berth_words({"--version"})).wait() != 0) GTEST_SKIP() << "no program";
    Process::Words trial = as_nobody;
    trial.push_back(berth_words({}).front());
    trial.emplace_back("--version");
    if (Process(trial).wait() != 0) GTEST_SKIP() << "nobody may not run the program from here";
    const OwnedDescriptor listener = listening();
    const auto [said, status] = ask(address_of(listener), as_nobody);
    EXPECT_EQ(status, 1);
    EXPECT_EQ(said.at("cause"), "HolderHidden") << said.dump(2);
    EXPECT_NE(said.at("remedy").get<std::string>().find("sudo berth port"), std::string::npos);
}

// ── Unix names ───────────────────────────────────────────────────────────────────────────────

class PortOfPath : public testing::Test {
protected:
    TempDir folder;
    std::string path = folder.file("app.sock");
    std::string address = "unix://" + path;
};

TEST_F(PortOfPath, IsFreeWhereNothingIs) {
    expect_free(address);
    EXPECT_FALSE(std::filesystem::exists(path)) << "asking leaves nothing";
}

TEST_F(PortOfPath, NamesALiveListener) {
    const OwnedDescriptor listener = bound_unix(path);
    listen_on(listener);
    expect_busy(address, "LiveListener", "proven");
    EXPECT_EQ(ask(address).said.at("holders").at(0).at("pid"), getpid());
}

TEST_F(PortOfPath, NamesAListenerThatWasRenamed) {
    const OwnedDescriptor listener = bound_unix(path + ".new");
    listen_on(listener);
    std::filesystem::rename(path + ".new", path);
    expect_busy(address, "LiveListener", "proven");
}

TEST_F(PortOfPath, NamesWhoIsBoundAndDoesNotListen) {
    const OwnedDescriptor socket = bound_unix(path);
    expect_busy(address, "BoundNotListening", "proven");
}

TEST_F(PortOfPath, FindsAStaleSocket) {
    bound_unix(path).close();
    expect_busy(address, "StaleUnixPath", "proven");
}

TEST_F(PortOfPath, FindsWhatIsNoSocket) {
    std::ofstream(path) << "mine\n";
    expect_busy(address, "PathConflict", "proven");
}

TEST_F(PortOfPath, NamesAListenerOfAnAbstractName) {
    const std::string name = "@berth-test-" + std::to_string(getpid());
    const OwnedDescriptor listener = bound_unix(name);
    listen_on(listener);
    expect_busy("unix:" + name, "LiveListener", "proven");
}

TEST_F(PortOfPath, SaysThatTheFolderIsMissing) {
    Process process(berth_words({"port", "unix://" + path + "/below"}));
    EXPECT_EQ(process.wait(), 1);
    EXPECT_NE(process.messages().find("ENOENT"), std::string::npos) << process.messages();
}

}  // namespace
