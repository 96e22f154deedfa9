// SPDX-License-Identifier: MIT
//
// Claims: who gets which of the sockets that are offered.

#include "engine/handover/claims.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth::engine::handover {
namespace {

using Answers = std::vector<std::optional<std::uint32_t>>;

Wish wish(const std::string& text, driver::PathFacts path = {}) {
    return {.endpoint = *Endpoint::parse(text), .asked = text, .path = path};
}

OfferedSocket offered(std::uint32_t listener, const std::string& address,
                      const std::string& asked = {}) {
    return {.listener = listener, .address = address, .asked = asked.empty() ? address : asked};
}

Answers answers(const std::vector<Wish>& wishes, const std::vector<OfferedSocket>& sockets) {
    return match(wishes, sockets);
}

TEST(Claims, MatchByTheRealAddressWhateverTheOrder) {
    EXPECT_EQ(answers({wish("tcp://127.0.0.1:81"), wish("tcp://127.0.0.1:80")},
                      {offered(0, "tcp://127.0.0.1:80"), offered(1, "tcp://127.0.0.1:81")}),
              (Answers{1, 0}));
}

TEST(Claims, MatchWhatIsSpelledInAnotherWay) {
    EXPECT_EQ(answers({wish("tcp6://[::1]:80"), wish("tcp://0.0.0.0:81")},
                      {offered(0, "tcp://[::1]:80"), offered(1, "tcp4://:81")}),
              (Answers{0, 1}));
}

TEST(Claims, LeaveWhatIsNotWantedAndWhatIsNotThere) {
    EXPECT_EQ(answers({wish("tcp://127.0.0.1:82")}, {offered(0, "tcp://127.0.0.1:80")}),
              (Answers{std::nullopt}));
}

TEST(Claims, TellBothFamiliesFromIpv6Alone) {
    EXPECT_EQ(answers({wish("tcp6://[::]:80")}, {offered(0, "tcp://[::]:80")}),
              (Answers{std::nullopt}));
}

TEST(Claims, GiveAllShardsOfAListenerToOneAddress) {
    EXPECT_EQ(answers({wish("tcp://127.0.0.1:80"), wish("tcp://127.0.0.1:80")},
                      {offered(0, "tcp://127.0.0.1:80"), offered(0, "tcp://127.0.0.1:80")}),
              (Answers{0, std::nullopt}));
}

TEST(Claims, MatchPortZeroByTheTextThatWasAsked) {
    EXPECT_EQ(answers({wish("tcp://127.0.0.1:0"), wish("tcp://[::1]:0")},
                      {offered(0, "tcp://[::1]:4001", "tcp://[::1]:0"),
                       offered(1, "tcp://127.0.0.1:4002", "tcp://127.0.0.1:0")}),
              (Answers{1, 0}));
}

TEST(Claims, PreferTheExactAddressToTheText) {
    EXPECT_EQ(answers({wish("tcp://127.0.0.1:0"), wish("tcp://127.0.0.1:4001")},
                      {offered(0, "tcp://127.0.0.1:4001", "tcp://127.0.0.1:0")}),
              (Answers{std::nullopt, 0}));
}

TEST(Claims, MatchAUnixPathByTheFileItLeadsTo) {
    const driver::PathFacts there{
        .kind = driver::PathFacts::Kind::socket, .device = 8, .inode = 99};
    OfferedSocket socket = offered(0, "unix:///run/app.sock");
    socket.path_device = 8;
    socket.path_inode = 99;
    EXPECT_EQ(answers({wish("unix://app.sock", there)}, {socket}), (Answers{0}));
    socket.path_inode = 100;
    EXPECT_EQ(answers({wish("unix:///run/app.sock", there)}, {socket}), (Answers{std::nullopt}));
}

TEST(Claims, MatchAnAbstractNameByItsName) {
    EXPECT_EQ(answers({wish("unix:@app")}, {offered(0, "unix:@app")}), (Answers{0}));
}

}  // namespace
}  // namespace berth::engine::handover
