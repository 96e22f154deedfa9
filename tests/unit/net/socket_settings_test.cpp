// SPDX-License-Identifier: MIT
//
// SocketSettings: what is refused before the kernel sees it, and what it is told.

#include "net/socket_settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace berth::net {
namespace {

using driver::SocketOption;
using std::chrono::milliseconds;
using std::chrono::seconds;

const SettingsCheck kCheck("start", "Options::");

int value_of(const SocketSettings& settings, SocketOption option) {
    const auto found = std::ranges::find(settings, option, &SocketSetting::option);
    return found == settings.end() ? -1 : found->value;
}

TEST(SocketSettings, AreNoneWhereNothingIsAskedFor) {
    const Options options{.no_delay = false, .not_sent_max = 0};
    EXPECT_TRUE(settings_of(options).empty());
}

TEST(SocketSettings, OfKeepaliveAreInWholeSeconds) {
    const auto settings =
        settings_of(KeepAlive{.idle = seconds{30}, .interval = seconds{7}, .count = 4});
    EXPECT_EQ(value_of(settings, SocketOption::keep_alive), 1);
    EXPECT_EQ(value_of(settings, SocketOption::keep_idle), 30);
    EXPECT_EQ(value_of(settings, SocketOption::keep_interval), 7);
    EXPECT_EQ(value_of(settings, SocketOption::keep_count), 4);
}

TEST(SocketSettings, OfKeepaliveLeaveTheKernelsAlone) {
    const auto settings = settings_of(KeepAlive{.idle = seconds{30}});
    EXPECT_EQ(value_of(settings, SocketOption::keep_interval), -1);
    EXPECT_EQ(value_of(settings, SocketOption::keep_count), -1);
    EXPECT_EQ(value_of(settings_of(KeepAlive{}), SocketOption::keep_alive), 0);
}

TEST(SocketSettings, OfTheUserTimeoutAreInMilliseconds) {
    EXPECT_EQ(user_timeout_setting(milliseconds{2'500}).value, 2'500);
    EXPECT_EQ(user_timeout_setting(std::chrono::microseconds{1'001}).value, 2) << "never earlier";
}

TEST(SocketSettings, ThatCannotBeAreRefusedWithNameAndRemedy) {
    for (const KeepAlive& wrong :
         {KeepAlive{.idle = milliseconds{1'500}}, KeepAlive{.idle = seconds{-1}},
          KeepAlive{.idle = seconds{32'768}}, KeepAlive{.idle = seconds{1}, .count = 128},
          KeepAlive{.idle = seconds{1}, .interval = milliseconds{1}}, KeepAlive{.count = 3}}) {
        const auto refused = kCheck.keepalive(wrong);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::invalid_option);
        EXPECT_NE(refused.error().to_string().find("Options::keepalive_"), std::string::npos);
    }
    EXPECT_FALSE(kCheck.user_timeout(std::chrono::microseconds{10}));
    EXPECT_FALSE(kCheck.user_timeout(std::chrono::hours{600}));
    EXPECT_FALSE(kCheck.buffer("send_buffer", std::size_t{2} << 30U));
}

TEST(SocketSettings, AtTheirBoundsAreFine) {
    EXPECT_TRUE(
        kCheck.keepalive({.idle = seconds{32'767}, .interval = seconds{32'767}, .count = 127}));
    EXPECT_TRUE(kCheck.keepalive({}));
    EXPECT_TRUE(kCheck.user_timeout(milliseconds{1}));
    EXPECT_TRUE(kCheck.user_timeout(Duration::zero()));
    EXPECT_TRUE(kCheck.buffer("send_buffer", std::size_t{1} << 30U));
    EXPECT_TRUE(kCheck.all(Options{}));
}

TEST(SocketSettings, OfUnixSocketsAreTheBuffersAlone) {
    EXPECT_TRUE((SocketSetting{SocketOption::send_buffer, 1}).is_general());
    EXPECT_TRUE((SocketSetting{SocketOption::receive_buffer, 1}).is_general());
    EXPECT_FALSE((SocketSetting{SocketOption::no_delay, 1}).is_general());
    EXPECT_FALSE((SocketSetting{SocketOption::keep_alive, 1}).is_general());
}

}  // namespace
}  // namespace berth::net
