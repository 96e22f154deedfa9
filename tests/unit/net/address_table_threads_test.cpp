// SPDX-License-Identifier: MIT
//
// AddressTable: counting by address, exactly, from several threads.

#include "net/address_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace berth::net {
namespace {

constexpr std::uint64_t kKey = 0x5eed;

IpEndpoint ip(const std::string& address) {
    return Endpoint::parse("tcp://" + address + ":1").value().ip();
}

IpEndpoint numbered(std::uint32_t number) {
    IpEndpoint peer;
    peer.family = 4;
    for (std::size_t i = 0; i < 4; ++i) {
        peer.address[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    }
    return peer;
}

TEST(CountingAddresses, BoundsEachForItself) {
    AddressTable table;
    table.reset(100, kKey);
    EXPECT_TRUE(table.add(ip("192.0.2.1"), 2));
    EXPECT_TRUE(table.add(ip("192.0.2.1"), 2));
    EXPECT_FALSE(table.add(ip("192.0.2.1"), 2));
    EXPECT_TRUE(table.add(ip("192.0.2.2"), 2));
    table.remove(ip("192.0.2.1"));
    EXPECT_TRUE(table.add(ip("192.0.2.1"), 2));
    EXPECT_EQ(table.count(ip("192.0.2.1")), 2U);
}

TEST(CountingAddresses, IgnoresThePort) {
    AddressTable table;
    table.reset(100, kKey);
    IpEndpoint peer = ip("192.0.2.1");
    EXPECT_TRUE(table.add(peer, 1));
    peer.port = 4711;
    EXPECT_FALSE(table.add(peer, 1));
}

TEST(CountingAddresses, TakesAnIpv6ClientForItsNetwork) {
    AddressTable table;
    table.reset(100, kKey);
    EXPECT_TRUE(table.add(ip("[2001:db8:1:2::1]"), 1));
    EXPECT_FALSE(table.add(ip("[2001:db8:1:2:ffff::9]"), 1));
    EXPECT_TRUE(table.add(ip("[2001:db8:1:3::1]"), 1));
}

TEST(CountingAddresses, HasRoomForOneConnectionOfEachAddress) {
    constexpr std::uint32_t kMany = 20'000;
    AddressTable table;
    table.reset(kMany, kKey);
    std::size_t refused = 0;
    for (std::uint32_t i = 0; i < kMany; ++i) refused += table.add(numbered(i), 1) ? 0 : 1;
    EXPECT_LE(refused, kMany / 1000);
    for (std::uint32_t i = 0; i < kMany; ++i) {
        if (table.count(numbered(i)) == 1) table.remove(numbered(i));
    }
    for (std::uint32_t i = 0; i < kMany; ++i) EXPECT_EQ(table.count(numbered(i)), 0U);
}

TEST(CountingAddresses, OfManyThreadsLosesNobody) {
    constexpr std::size_t kThreads = 4;
    constexpr std::uint32_t kAddresses = 8;
    constexpr int kRounds = 3'000;
    constexpr std::size_t kMax = 3;
    AddressTable table;
    table.reset(16, kKey);
    std::array<std::atomic<std::size_t>, kAddresses> held{};
    std::atomic<std::size_t> most{0};
    {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < kRounds; ++i) {
                    const auto which = static_cast<std::uint32_t>(i) % kAddresses;
                    if (!table.add(numbered(which), kMax)) continue;
                    const std::size_t now = held[which].fetch_add(1) + 1;
                    if (now > most) most = now;
                    std::this_thread::yield();
                    held[which].fetch_sub(1);
                    table.remove(numbered(which));
                }
            });
        }
    }
    for (std::uint32_t i = 0; i < kAddresses; ++i) EXPECT_EQ(table.count(numbered(i)), 0U);
    EXPECT_LE(most, kMax + kThreads - 1);
}

}  // namespace
}  // namespace berth::net
