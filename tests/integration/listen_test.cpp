// SPDX-License-Identifier: MIT
//
// Listening: whose an address is, all of them or none, and Unix paths.

#include "integration/support_engine.hpp"
#include "support/descriptors.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace berth::test {
namespace {

namespace fs = std::filesystem;

class ListeningOn : public AnEngine {
protected:
    // What a second engine is told at `address`.
    Error refused(const std::vector<std::string>& addresses) {
        const auto started = make_engine(other)->start(addresses);
        EXPECT_FALSE(started) << "it started at " << addresses.front();
        return started ? Error(ErrorCode::internal, "none") : started.error();
    }

    Script other;
};

class UnixPaths : public ListeningOn {
protected:
    std::string path() const { return dir().file("app.sock"); }
    std::string at() const { return "unix:" + path(); }
    static bool is_socket(const std::string& path) {
        return fs::status(path).type() == fs::file_type::socket;
    }
};

TEST_P(ListeningOn, SecondEngineOnTheSameAddressIsRefusedWithARemedy) {
    start();
    const std::string taken = engine().endpoints()[0].to_string();
    const Error error = refused({taken});
    EXPECT_EQ(error.code(), ErrorCode::address_in_use);
    EXPECT_EQ(error.address(), taken);
    EXPECT_FALSE(error.remedy().empty());
    const RawPeer peer = connect();
    opened();
    EXPECT_TRUE(other.opened().empty());
}

TEST_P(ListeningOn, SameAddressTwiceInOneStartIsRefused) {
    start();
    const std::string same = engine().endpoints()[0].to_string();
    stop();
    EXPECT_EQ(refused({same, same}).code(), ErrorCode::address_in_use);
    start(same);  // and it is free again
}

TEST_P(ListeningOn, FailedStartLeavesNothingOpen) {
    start();
    const std::string free_later = engine().endpoints()[0].to_string();
    stop();
    const std::size_t before = open_descriptors();
    const Error error = refused({free_later, unix_address("second"), "unix:/does/not/exist/s"});
    EXPECT_NE(error.to_string().find("/does/not/exist/s"), std::string::npos);
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_FALSE(fs::exists(dir().file("second")));
    EXPECT_TRUE(other.calls().empty());
    start(std::vector{free_later, unix_address("second")});
}

TEST_P(ListeningOn, BadAddressFailsBeforeAnythingIsBound) {
    EXPECT_EQ(refused({"tcp://nonsense"}).code(), ErrorCode::invalid_address);
    EXPECT_EQ(refused({"unixgram:"}).code(), ErrorCode::invalid_address);
}

TEST_P(ListeningOn, EveryLoopsShardIsExclusiveTogether) {
    options.loops = 4;
    start();
    const std::string taken = engine().endpoints()[0].to_string();
    EXPECT_EQ(refused({taken}).code(), ErrorCode::address_in_use);
    options.loops = 1;
    EXPECT_EQ(refused({taken}).code(), ErrorCode::address_in_use);
}

TEST_P(ListeningOn, ManyAddressesAreReportedInTheirOrder) {
    start(std::vector<std::string>{"tcp://127.0.0.1:0", unix_address("a"), "tcp://[::1]:0"});
    const auto endpoints = engine().endpoints();
    ASSERT_EQ(endpoints.size(), 3U);
    EXPECT_NE(endpoints[0].port(), 0);
    EXPECT_TRUE(endpoints[1].is_unix());
    EXPECT_EQ(endpoints[2].ip().family, 6);
    for (std::size_t i = 0; i < 3; ++i) static_cast<void>(connect(i));
    const StopReport report = stop();
    ASSERT_EQ(report.listeners.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(report.listeners[i].endpoint, endpoints[i]);
        EXPECT_TRUE(report.listeners[i].released);
    }
}

TEST_P(ListeningOn, DualStackServesBothFamilies) {
    start("tcp://:0");
    const std::uint16_t port = engine().endpoints()[0].port();
    const RawPeer four = connect();
    const ConnectionId first = opened(0);
    const RawPeer six = connect_to(*Endpoint::parse("tcp://[::1]:" + std::to_string(port)));
    const ConnectionId second = opened(1);
    on_loop([&](EventLoop& loop) {
        ASSERT_TRUE(loop.find(first) != nullptr && loop.find(second) != nullptr);
        EXPECT_EQ(loop.find(first)->peer_endpoint().ip(), four.address()) << "not mapped";
        EXPECT_EQ(loop.find(second)->peer_endpoint().ip(), six.address());
    });
}

TEST_P(ListeningOn, OptionsOutOfRangeAreRefusedByName) {
    options.output_low = options.output_high + 1;
    const Error error = refused({address()});
    EXPECT_EQ(error.code(), ErrorCode::invalid_option);
    EXPECT_NE(error.to_string().find("output_low"), std::string::npos);
    options = {.loops = 256, .logger = &journal};
    EXPECT_NE(refused({address()}).to_string().find("loops"), std::string::npos);
}

TEST_P(ListeningOn, AbstractNameIsExclusiveAndFreeAfterwards) {
    const std::string name = "unix:@" + dir().path().filename().string();
    start(name);
    EXPECT_EQ(refused({name}).code(), ErrorCode::address_in_use);
    EXPECT_TRUE(stop().listeners[0].released);
    start(name);
}

// ── Unix paths ───────────────────────────────────────────────────────────────────────────────

TEST_P(UnixPaths, PathIsRemovedAtTheStop) {
    start(at());
    EXPECT_TRUE(is_socket(path()));
    EXPECT_TRUE(stop().listeners[0].released);
    EXPECT_FALSE(fs::exists(path()));
}

TEST_P(UnixPaths, SocketThatADeadServerLeftIsReplaced) {
    {
        const RawListener dead(*Endpoint::parse(at()));
    }
    ASSERT_TRUE(is_socket(path()));
    script.traffic = echo;
    start(at());
    RawPeer peer = connect();
    peer.send("x");
    EXPECT_EQ(peer.read(1), "x");
}

TEST_P(UnixPaths, SocketOfALiveServerIsRefused) {
    RawListener live(*Endpoint::parse(at()));
    const Error error = refused({at()});
    EXPECT_EQ(error.code(), ErrorCode::address_in_use);
    EXPECT_FALSE(error.remedy().empty());
    EXPECT_EQ(live.accept_now(), nullptr) << "it was not even connected to";
    RawPeer peer = RawPeer::connect(live.endpoint());
    EXPECT_NE(live.accept_now(), nullptr);
}

TEST_P(UnixPaths, WhatIsNotASocketIsRefusedAndUntouched) {
    std::ofstream(path()) << "precious";
    EXPECT_EQ(refused({at()}).code(), ErrorCode::path_conflict);
    std::string content;
    std::ifstream(path()) >> content;
    EXPECT_EQ(content, "precious");
    fs::remove(path());

    fs::create_directory(path());
    EXPECT_EQ(refused({at()}).code(), ErrorCode::path_conflict);
    EXPECT_TRUE(fs::is_directory(path()));
    fs::remove(path());

    fs::create_symlink(dir().file("nowhere"), path());
    EXPECT_EQ(refused({at()}).code(), ErrorCode::path_conflict);
    EXPECT_TRUE(fs::is_symlink(path()));
    EXPECT_FALSE(fs::exists(dir().file("nowhere")));
}

TEST_P(UnixPaths, SymlinkToADeadSocketIsUntouched) {
    {
        const RawListener dead(*Endpoint::parse("unix:" + dir().file("dead")));
    }
    fs::create_symlink(dir().file("dead"), path());
    EXPECT_EQ(refused({at()}).code(), ErrorCode::path_conflict);
    EXPECT_TRUE(fs::is_symlink(path()));
    EXPECT_TRUE(is_socket(dir().file("dead")));
}

TEST_P(UnixPaths, PathThatIsNoLongerOursIsLeftAlone) {
    start(at());
    fs::rename(path(), dir().file("moved"));
    const RawListener stranger(*Endpoint::parse(at()));
    const StopReport report = stop();
    EXPECT_FALSE(report.listeners[0].released);
    EXPECT_EQ(report.exit_code(), 4);
    EXPECT_TRUE(is_socket(path()));
}

TEST_P(UnixPaths, PathThatSomebodyRemovedIsNoTrouble) {
    start(at());
    fs::remove(path());
    EXPECT_EQ(stop().outcome, StopOutcome::clean);
}

TEST_P(UnixPaths, LongestNameIsServedAndALongerOneRefused) {
    const std::string start_of_path = dir().path().string() + "/";
    const std::string fill(Endpoint::kUnixNameMax - start_of_path.size(), 'n');
    EXPECT_EQ(refused({"unix:" + start_of_path + fill + "n"}).code(), ErrorCode::invalid_address);
    start("unix:" + start_of_path + fill);
    const RawPeer peer = connect();
    opened();
    EXPECT_TRUE(stop().listeners[0].released);
    EXPECT_FALSE(fs::exists(start_of_path + fill));
}

TEST_P(UnixPaths, DirectoryThatMayNotBeWrittenIsRefused) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
    fs::permissions(dir().path(), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(refused({at()}).code(), ErrorCode::permission_denied);
    fs::permissions(dir().path(), fs::perms::owner_all);
}

BERTH_FOR_EACH_DRIVER(ListeningOn);
BERTH_FOR_EACH_DRIVER(UnixPaths);

}  // namespace
}  // namespace berth::test
