// SPDX-License-Identifier: MIT
//
// Destination: addresses as Endpoint has them, and names.

#include <berth/destination.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth {
namespace {

TEST(Destination, TakesWhatAnEndpointTakesAsAnAddress) {
    for (const char* text : {"tcp://127.0.0.1:80", "tcp6://[::1]:80", "udp://127.0.0.1:53",
                             "unix:///run/app.sock", "unix:@name", "127.0.0.1:80"}) {
        const auto to = Destination::parse(text);
        ASSERT_TRUE(to) << text << ": " << to.error().to_string();
        EXPECT_FALSE(to->is_name());
        EXPECT_EQ(to->endpoint(), *Endpoint::parse(text));
        EXPECT_EQ(to->to_string(), to->endpoint().to_string());
    }
}

TEST(Destination, KeepsANameWithItsSchemeAndPort) {
    const auto to = Destination::parse("tcp6://Host-1.example:443");
    ASSERT_TRUE(to) << to.error().to_string();
    EXPECT_TRUE(to->is_name());
    EXPECT_EQ(to->host(), "Host-1.example");
    EXPECT_EQ(to->scheme(), Scheme::tcp6);
    EXPECT_EQ(to->port(), 443);
    EXPECT_EQ(to->endpoint().ip().family, 0);
}

TEST(Destination, GivesAnAddressOfANameItsSchemeAndPort) {
    const auto to = Destination::parse("udp://name:53");
    const Endpoint address = to->at(Endpoint::parse("tcp://192.0.2.1:0")->ip());
    EXPECT_EQ(address, *Endpoint::parse("udp://192.0.2.1:53"));
}

TEST(Destination, ReadsItsOwnTextBack) {
    for (const char* text : {"tcp://localhost:80", "tcp4://a:1", "udp://_dns.x_y.example.:53",
                             "tcp://xn--nxasmq6b.example:443", "tcp://1and1.example:80"}) {
        const auto to = Destination::parse(text);
        ASSERT_TRUE(to) << to.error().to_string();
        EXPECT_EQ(to->to_string(), text);
        EXPECT_EQ(Destination::parse(to->to_string()), *to);
    }
}

TEST(Destination, WithoutASchemeIsTcp) {
    EXPECT_EQ(Destination::parse("host.example:80")->to_string(), "tcp://host.example:80");
}

TEST(Destination, OfAnEndpointIsThatAddress) {
    const Endpoint endpoint = *Endpoint::parse("tcp://127.0.0.1:80");
    const Destination to = endpoint;
    EXPECT_EQ(to.endpoint(), endpoint);
    EXPECT_FALSE(to.is_name());
}

struct Mistake {
    std::string text;
    int position;
    std::string reason;
};

TEST(Destination, SaysWhereANameIsWrong) {
    const std::string label(64, 'a');
    std::string longest = "a";
    while (longest.size() < 253) longest += ".a";
    const std::vector<Mistake> mistakes{
        {"tcp://ho st:80", 9, "a space"},
        {"tcp://h\xc3\xb6st:80", 8, "not a character of a host name"},
        {"tcp://host!:80", 11, "not a character of a host name"},
        {"tcp://a..b:80", 9, "nothing between two dots"},
        {"tcp://a..:80", 9, "nothing between two dots"},
        {"tcp://-a.b:80", 7, "begins or ends with -"},
        {"tcp://a.b-:80", 9, "begins or ends with -"},
        {"tcp://x." + label + ":80", 9, "more than 63"},
        {"tcp://" + longest + ".a:80", 260, "more than 253"},
        {"tcp://example.0x7f:80", 7, "neither an IPv4 address nor a host name"},
        {"tcp://a.1:80", 7, "neither an IPv4 address nor a host name"},
        {"tcp://127.1:80", 7, "not an IPv4 address"},
        {"tcp://host", 11, "no port"},
        {"tcp://host:http", 12, "not a digit of a port"},
        {"host.example", 13, "no port"},
    };
    for (const Mistake& mistake : mistakes) {
        const auto to = Destination::parse(mistake.text);
        ASSERT_FALSE(to) << mistake.text;
        EXPECT_EQ(to.error().code(), ErrorCode::invalid_address);
        const std::string text(to.error().to_string());
        EXPECT_NE(text.find(mistake.reason), std::string::npos) << text;
        EXPECT_NE(text.find("at position " + std::to_string(mistake.position)), std::string::npos)
            << text;
        EXPECT_NE(to.error().remedy(), "") << text;
    }
}

TEST(Destination, TakesTheLongestName) {
    std::string longest = "a";
    while (longest.size() < 253) longest += ".a";
    EXPECT_TRUE(Destination::parse("tcp://" + longest + ":80"));
    EXPECT_TRUE(Destination::parse("tcp://" + longest + ".:80")) << "a dot at the end is free";
    EXPECT_TRUE(Destination::parse("tcp://" + std::string(63, 'a') + ".example:80"));
}

TEST(Destination, NamesAreNotForUnix) {
    EXPECT_FALSE(Destination::parse("unix://host.example:80")->is_name());
}

}  // namespace
}  // namespace berth
