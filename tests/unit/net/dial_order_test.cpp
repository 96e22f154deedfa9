// SPDX-License-Identifier: MIT
//
// dial_order: families take turns, each address once.

#include "net/dial_order.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth::net {
namespace {

std::vector<IpEndpoint> ips(const std::vector<std::string>& hosts) {
    std::vector<IpEndpoint> all;
    for (const std::string& host : hosts) {
        all.push_back(Endpoint::parse("tcp://" + host + ":0")->ip());
    }
    return all;
}

std::vector<std::string> order(const std::vector<std::string>& hosts,
                               AddressFamily family = AddressFamily::any) {
    std::vector<std::string> texts;
    for (const Endpoint& to :
         dial_order(*Destination::parse("tcp://name:80"), family, ips(hosts))) {
        texts.push_back(to.to_string());
    }
    return texts;
}

using Texts = std::vector<std::string>;

TEST(DialOrder, FamiliesTakeTurnsAndEachKeepsItsOrder) {
    EXPECT_EQ(order({"[2001:db8::1]", "[2001:db8::2]", "192.0.2.1", "192.0.2.2"}),
              (Texts{"tcp://[2001:db8::1]:80", "tcp://192.0.2.1:80", "tcp://[2001:db8::2]:80",
                     "tcp://192.0.2.2:80"}));
}

TEST(DialOrder, BeginsWithTheBestWhateverItsFamily) {
    EXPECT_EQ(order({"192.0.2.1", "192.0.2.2", "[2001:db8::1]"}),
              (Texts{"tcp://192.0.2.1:80", "tcp://[2001:db8::1]:80", "tcp://192.0.2.2:80"}));
}

TEST(DialOrder, HasEachAddressOnce) {
    EXPECT_EQ(order({"192.0.2.1", "192.0.2.1", "192.0.2.1"}), Texts{"tcp://192.0.2.1:80"});
}

TEST(DialOrder, LeavesTheOtherFamilyOut) {
    EXPECT_EQ(order({"192.0.2.1", "[2001:db8::1]"}, AddressFamily::v6),
              Texts{"tcp://[2001:db8::1]:80"});
    EXPECT_EQ(order({"192.0.2.1", "[2001:db8::1]"}, AddressFamily::v4),
              Texts{"tcp://192.0.2.1:80"});
    EXPECT_TRUE(order({"192.0.2.1"}, AddressFamily::v6).empty());
}

TEST(DialOrder, LeavesOutWhatIsNoAddress) {
    const std::vector<IpEndpoint> nothing(3);
    EXPECT_TRUE(dial_order(*Destination::parse("tcp://a:1"), AddressFamily::any, nothing).empty());
}

TEST(DialOrder, IsBounded) {
    Texts many;
    for (int i = 0; i < 100; ++i) many.push_back("192.0.2." + std::to_string(i));
    many.emplace_back("[2001:db8::1]");
    const Texts tried = order(many);
    EXPECT_EQ(tried.size(), kDialAddressesMax);
    EXPECT_EQ(tried[1], "tcp://[2001:db8::1]:80") << "the other family is not what is left out";
}

TEST(WantedFamily, IsWhatTheSchemeSays) {
    EXPECT_EQ(wanted_family(*Destination::parse("tcp://a:1"), {}), AddressFamily::any);
    EXPECT_EQ(wanted_family(*Destination::parse("tcp4://a:1"), {}), AddressFamily::v4);
    EXPECT_EQ(wanted_family(*Destination::parse("udp6://a:1"), {}), AddressFamily::v6);
}

TEST(WantedFamily, IsThatOfTheLocalAddress) {
    const Destination to = *Destination::parse("tcp://a:1");
    EXPECT_EQ(wanted_family(to, *Endpoint::parse("tcp://127.0.0.1:0")), AddressFamily::v4);
    EXPECT_EQ(wanted_family(to, *Endpoint::parse("tcp://[::1]:0")), AddressFamily::v6);
}

TEST(Localhost, IsThisMachine) {
    for (const char* name : {"localhost", "LocalHost.", "a.b.localhost"}) {
        EXPECT_EQ(addresses_of_localhost(name), ips({"[::1]", "127.0.0.1"})) << name;
    }
    for (const char* name : {"localhost.example", "mylocalhost", "local", "host"}) {
        EXPECT_TRUE(addresses_of_localhost(name).empty()) << name;
    }
}

}  // namespace
}  // namespace berth::net
