// SPDX-License-Identifier: MIT
//
// Multicast, and listeners of one device: what is refused, and with which remedy.

#include "net/multicast.hpp"

#include "net/listening.hpp"
#include "scripted_system.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace berth::net {
namespace {

Endpoint at(const std::string& text) { return Endpoint::parse(text).value(); }

class Groups : public testing::Test {
protected:
    std::string join(const std::string& listener, const MulticastGroup& group) {
        const Endpoint endpoint = at(listener);
        const auto done = Multicast(system_, endpoint).join(driver::Descriptor{3}, group);
        return done ? "joined" : done.error().to_string();
    }
    std::string leave(const MulticastGroup& group) {
        const Endpoint endpoint = at("udp://:7000");
        const auto done = Multicast(system_, endpoint).leave(driver::Descriptor{3}, group);
        return done ? "left" : done.error().to_string();
    }
    static bool says(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    }

    scripted::ScriptedSystem system_;
};

TEST_F(Groups, AreJoinedByNameAndByIndex) {
    EXPECT_EQ(join("udp4://:7000", {"239.1.2.3", "lo"}), "joined");
    EXPECT_EQ(system_.joined, at("udp://239.1.2.3:0").ip());
    EXPECT_EQ(system_.joined_by, 1U);
    EXPECT_EQ(join("udp://:7000", {"ff02::3", "7"}), "joined");
    EXPECT_EQ(system_.joined_by, 7U);
    EXPECT_EQ(join("udp://:7000", {"[ff05::3]"}), "joined");
    EXPECT_EQ(system_.joined_by, 0U);
}

TEST_F(Groups, ThatWereJoinedBeforeTravelInAHotRestart) {
    system_.group_errno = EADDRINUSE;
    EXPECT_EQ(join("udp4://:7000", {"239.1.2.3", "lo"}), "joined");
}

TEST_F(Groups, ThatCouldNotBeHeardAreRefusedWithARemedy) {
    for (const char* address : {"10.0.0.1", "::1", "nonsense", "239.1.2.3:7"}) {
        EXPECT_TRUE(says(join("udp://:7000", {address, "lo"}), "no multicast address")) << address;
    }
    EXPECT_TRUE(says(join("udp4://:7000", {"ff02::3", "lo"}), "listen on udp://:PORT or udp6://"));
    EXPECT_TRUE(says(join("udp6://:7000", {"239.1.2.3", "lo"}), "or udp4://"));
    EXPECT_TRUE(says(join("udp4://127.0.0.1:7000", {"239.1.2.3", "lo"}), "on every address"));
    EXPECT_TRUE(says(join("udp4://:7000", {"239.1.2.3", "eth9"}), "`ip link` lists them"));
    system_.group_errno = ENODEV;
    EXPECT_TRUE(says(join("udp4://:7000", {"239.1.2.3"}), "name the interface"));
}

TEST_F(Groups, ThatWereNotJoinedAreNotLeft) {
    EXPECT_EQ(leave({"239.1.2.3", "lo"}), "left");
    system_.group_errno = EADDRNOTAVAIL;
    EXPECT_TRUE(says(leave({"239.1.2.3", "lo"}), "has not joined it"));
}

TEST_F(Groups, ValuesThatNoSocketCanHaveAreRefused) {
    EXPECT_TRUE(check(DatagramOptions{}));
    EXPECT_FALSE(check(DatagramOptions{.session_idle = Duration{-1}}));
    EXPECT_FALSE(check(DatagramOptions{.sessions_max = 0}));
    EXPECT_FALSE(check(DatagramOptions{.multicast_hops = -1}));
}

TEST_F(Groups, ADeviceWithoutThePrivilegeNamesTheCapability) {
    system_.device_errno = EPERM;
    const auto refused = Listening::open(system_, at("udp4://:7000"), {.device = "eth0"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::permission_denied);
    EXPECT_TRUE(says(refused.error().to_string(), "eth0"));
    EXPECT_TRUE(says(refused.error().to_string(), "CAP_NET_RAW"));
    EXPECT_EQ(system_.open, 0);
}

}  // namespace
}  // namespace berth::net
