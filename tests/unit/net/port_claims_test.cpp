// SPDX-License-Identifier: MIT
//
// Claims: which addresses have one in common.
//
// Method: a table of pairs, as inet_bind_conflict treats them; each also the other way round.

#include "net/port_diagnosis_claims.hpp"
#include "port_evidence.hpp"

#include <gtest/gtest.h>

#include <string>

namespace berth::net::scripted {
namespace {

struct Pair {
    std::string wanted;
    std::string held;
    bool conflict;
};

std::string text(const Pair& pair) { return pair.wanted + " and " + pair.held; }

// "[::]!" means IPV6_V6ONLY.
bool is_only_v6(const std::string& address) { return address.ends_with('!'); }
std::string bare(const std::string& address) {
    return is_only_v6(address) ? address.substr(0, address.size() - 1) : address;
}

bool conflict_of(const std::string& wanted, const std::string& held) {
    auto there = row(driver::SocketState::listening, bare(held), 1);
    there.is_v6_only = is_only_v6(held);
    const Scheme scheme = is_only_v6(wanted) ? Scheme::tcp6 : Scheme::tcp;
    return conflicts(Endpoint(scheme, ip(bare(wanted), kPort)), there);
}

const Pair kPairs[] = {
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.1", "127.0.0.2", false},
    {"127.0.0.1", "0.0.0.0", true},
    {"127.0.0.1", "[::]", true},
    {"127.0.0.1", "[::]!", false},
    {"127.0.0.1", "[::1]", false},
    {"127.0.0.1", "[::ffff:127.0.0.1]", true},
    {"127.0.0.1", "[::ffff:127.0.0.2]", false},
    {"0.0.0.0", "0.0.0.0", true},
    {"0.0.0.0", "[::]", true},
    {"0.0.0.0", "[::]!", false},
    {"0.0.0.0", "[::1]!", false},
    {"0.0.0.0", "[::ffff:127.0.0.1]", true},
    {"[::]", "[::]", true},
    {"[::]", "[::]!", true},
    {"[::]", "[::1]", true},
    {"[::]", "[::ffff:127.0.0.1]", true},
    {"[::]!", "[::1]", true},
    {"[::]!", "[::ffff:127.0.0.1]", false},
    {"[::1]", "[::1]", true},
    {"[::1]", "[::2]", false},
};

TEST(PortClaims, ConflictWhereAnAddressIsInCommon) {
    for (const Pair& pair : kPairs) {
        EXPECT_EQ(conflict_of(pair.wanted, pair.held), pair.conflict) << text(pair);
        EXPECT_EQ(conflict_of(pair.held, pair.wanted), pair.conflict) << text(pair);
    }
}

// The kernel's own way with what came through a dual-stack listener.
TEST(PortClaims, ConflictOfAnIPv6ConnectionWithEveryIPv4Address) {
    EXPECT_TRUE(conflict_of("0.0.0.0", "[::1]"));
    EXPECT_FALSE(conflict_of("[::1]", "0.0.0.0"));
    EXPECT_FALSE(conflict_of("127.0.0.1", "[::1]"));
}

TEST(PortClaims, DoNotConflictOnTwoDevices) {
    auto there = row(driver::SocketState::listening, "[2001:db8::1]", 1);
    there.local.zone = 2;
    IpEndpoint here = ip("[2001:db8::1]", kPort);
    EXPECT_TRUE(conflicts(Endpoint(Scheme::tcp, here), there));
    here.zone = 2;
    EXPECT_TRUE(conflicts(Endpoint(Scheme::tcp, here), there));
    here.zone = 3;
    EXPECT_FALSE(conflicts(Endpoint(Scheme::tcp, here), there));
}

TEST(PortClaims, LeaveHandshakesOut) {
    PortEvidence evidence = refused(tcp("127.0.0.1"));
    evidence.rows->push_back(connection(driver::SocketState::syn_received, 0));
    evidence.rows->push_back(connection(driver::SocketState::new_syn_received, 0));
    EXPECT_TRUE(claims_of(evidence).empty());
}

TEST(PortClaims, ComeListenersFirstAndExactOnesBeforeWiderOnes) {
    PortEvidence evidence = refused(tcp("127.0.0.1"));
    evidence.rows->push_back(connection(driver::SocketState::time_wait, 0));
    evidence.rows->push_back(row(driver::SocketState::listening, "0.0.0.0", 8));
    evidence.rows->push_back(row(driver::SocketState::listening, "127.0.0.1", 9));
    const auto claims = claims_of(evidence);
    ASSERT_EQ(claims.size(), 3u);
    EXPECT_EQ(claims[0].inode, 9u);
    EXPECT_EQ(claims[1].inode, 8u);
    EXPECT_EQ(claims[2].kind, ClaimKind::leftover);
}

}  // namespace
}  // namespace berth::net::scripted
