// SPDX-License-Identifier: MIT
//
// look_up_name: what this machine knows about itself, and names that cannot exist.

#include "os/name_lookup.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace berth::os {
namespace {

IpEndpoint ip(const char* text) { return Endpoint::parse(text)->ip(); }

bool has(const Result<ResolvedName>& name, const IpEndpoint& address) {
    return name && std::ranges::find(name->addresses, address) != name->addresses.end();
}

TEST(LookUpName, KnowsTheNamesOfEtcHosts) {
    const auto name = look_up_name("localhost", AddressFamily::v4);
    ASSERT_TRUE(name) << name.error().to_string();
    EXPECT_TRUE(has(name, ip("tcp://127.0.0.1:0")));
    EXPECT_FALSE(name->ttl);
}

TEST(LookUpName, TellsEachAddressOnce) {
    const auto name = look_up_name("127.0.0.1", AddressFamily::any);
    ASSERT_TRUE(name) << name.error().to_string();
    EXPECT_EQ(name->addresses.size(), 1U);
}

TEST(LookUpName, KeepsToTheFamily) {
    const auto six = look_up_name("::1", AddressFamily::v6);
    ASSERT_TRUE(six) << six.error().to_string();
    EXPECT_TRUE(has(six, ip("tcp://[::1]:0")));
    const auto none = look_up_name("::1", AddressFamily::v4);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), ErrorCode::name_not_found);
}

// RFC 6761: there is no such name anywhere. A machine without name servers cannot know.
TEST(LookUpName, SaysWhatThereIsNot) {
    const auto name = look_up_name("nobody.invalid", AddressFamily::any);
    ASSERT_FALSE(name);
    const ErrorCode code = name.error().code();
    EXPECT_TRUE(code == ErrorCode::name_not_found || code == ErrorCode::name_unavailable)
        << name.error().to_string();
    EXPECT_NE(name.error().detail(), "");
}

}  // namespace
}  // namespace berth::os
