// SPDX-License-Identifier: MIT
//
// Notification: the assignments of sd_notify(3), and values that stay values.

#include "service/notification.hpp"

#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace berth::service {
namespace {

using namespace std::chrono_literals;

TEST(Notification, SaysEachThingOnALineOfItsOwn) {
    EXPECT_EQ(Notification().ready().status("listening").text(), "READY=1\nSTATUS=listening");
    EXPECT_EQ(Notification().stopping().extend_timeout(1'500ms).text(),
              "STOPPING=1\nEXTEND_TIMEOUT_USEC=1500000");
    EXPECT_EQ(Notification().ready().main_process(4711).text(), "READY=1\nMAINPID=4711");
    EXPECT_EQ(Notification().watchdog().text(), "WATCHDOG=1");
}

TEST(Notification, SaysSinceWhenItReloads) {
    EXPECT_EQ(Notification().reloading(Instant{12'345us}).text(),
              "RELOADING=1\nMONOTONIC_USEC=12345");
}

TEST(Notification, KeepsAStatusOnItsLine) {
    EXPECT_EQ(Notification().status("a\nREADY=1").text(), "STATUS=a READY=1");
}

TEST(Notification, NamesWhatIsStored) {
    EXPECT_EQ(Notification().store("berth").text(), "FDSTORE=1\nFDNAME=berth\nFDPOLL=0");
    EXPECT_EQ(Notification().remove_stored("berth").text(), "FDSTOREREMOVE=1\nFDNAME=berth");
}

TEST(Notification, StoresUnderNamesThatSystemdTakes) {
    EXPECT_EQ(stored_name("tcp://[::]:80\n"), "tcp_//[__]_80_");
    EXPECT_EQ(stored_name(std::string(300, 'x')).size(), 255u);
}

}  // namespace
}  // namespace berth::service
