// SPDX-License-Identifier: MIT
//
// Endpoint: what it says of itself, and how it prints what parse() never makes.

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

bool is_wildcard(const char* text) { return Endpoint::parse(text)->is_wildcard(); }

TEST(Endpoint, IsAWildcardOnlyWithoutAnAddress) {
    EXPECT_TRUE(is_wildcard("tcp://:80"));
    EXPECT_TRUE(is_wildcard("tcp4://:80"));
    EXPECT_FALSE(is_wildcard("tcp://127.0.0.1:80"));
    EXPECT_FALSE(is_wildcard("tcp://[::1]:80"));
}

TEST(Endpoint, OfUnixIsNeverAWildcard) {
    EXPECT_FALSE(is_wildcard("unix:@name"));
    EXPECT_FALSE((Endpoint{Scheme::unix_stream, std::string{}}).is_wildcard());
}

TEST(Endpoint, PrintsAnUnnamedPeerAsItsScheme) {
    EXPECT_EQ((Endpoint{Scheme::unix_stream, std::string{}}).to_string(), "unix:");
    EXPECT_EQ((Endpoint{Scheme::unix_datagram, std::string{}}).to_string(), "unixgram:");
}

TEST(Endpoint, WithoutAnAddressPrintsAsItsScheme) { EXPECT_EQ(Endpoint{}.to_string(), "tcp:"); }

TEST(Endpoint, KeepsControlCharactersOfAPeersNameOutOfTheLog) {
    const Endpoint peer{Scheme::unix_stream, std::string{"@a\nERROR\0\x7f", 10}};
    EXPECT_EQ(peer.to_string(), "unix:@a\\x0aERROR\\x00\\x7f");
}

}  // namespace
}  // namespace berth
