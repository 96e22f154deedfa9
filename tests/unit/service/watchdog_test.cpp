// SPDX-License-Identifier: MIT
//
// Watchdog: whom it is for, when it is fed, and when a stuck loop starves it.

#include "service/watchdog.hpp"

#include "service/variables.hpp"

#include <berth/clock.hpp>
#include <berth/snapshot.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace berth::service {
namespace {

using namespace std::chrono_literals;

Variables watched(const std::string& usec, const std::string& pid = "") {
    Variables variables;
    variables.process = 7;
    variables.watchdog_usec = usec;
    variables.watchdog_pid = pid;
    return variables;
}

EngineSnapshot busy_for(Duration busy) {
    EngineSnapshot snapshot;
    snapshot.loops = {{.index = 0, .connections = 0, .busy = {}, .callback = {}},
                      {.index = 1, .connections = 0, .busy = busy, .callback = {}}};
    return snapshot;
}

TEST(Watchdog, IsForThisProcessOrForAny) {
    EXPECT_EQ(Watchdog::of(watched("2000000")).value().interval(), 2s);
    EXPECT_TRUE(Watchdog::of(watched("1", "7")));
    EXPECT_FALSE(Watchdog::of(watched("1", "8")));
}

TEST(Watchdog, IsNotThereForWhatIsNoInterval) {
    for (const char* usec : {"", "0", "-5", "soon", "5s", "99999999999999999999"}) {
        EXPECT_FALSE(Watchdog::of(watched(usec))) << usec;
    }
}

TEST(Watchdog, IsFedAtHalfItsInterval) {
    Watchdog watchdog(2s);
    EXPECT_TRUE(watchdog.is_due(Instant{5s}));
    EXPECT_TRUE(watchdog.feeds(busy_for(900ms), Instant{5s}));
    EXPECT_EQ(watchdog.next(), Instant{6s});
    EXPECT_FALSE(watchdog.is_due(Instant{5'999ms}));
}

TEST(Watchdog, IsNotFedWhileALoopIsStuckAndLooksAgainSoon) {
    Watchdog watchdog(2s);
    EXPECT_FALSE(watchdog.feeds(busy_for(1s), Instant{5s}));
    EXPECT_EQ(watchdog.next(), Instant{5'125ms});
}

}  // namespace
}  // namespace berth::service
