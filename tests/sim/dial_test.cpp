// SPDX-License-Identifier: MIT
//
// Dials in simulated time: when the next address is tried, and when the whole is tried again.

#include "sim/simulated_dials.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace berth::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DialInSimulatedTime : public SimulatedDials {};

TEST_F(DialInSimulatedTime, TheNextAddressIsTriedBesideASilentOneAfter250Ms) {
    listen("127.0.0.1", true);
    listen("127.0.0.2");
    names_.add("server.test", {"127.0.0.1", "127.0.0.2"});
    dial();
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_EQ(witness_.peer_seen.to_string(), "tcp://127.0.0.2:80");
    EXPECT_GE(taken(), milliseconds{250});
    EXPECT_LE(taken(), milliseconds{255});
}

TEST_F(DialInSimulatedTime, TheDelayIsAnOption) {
    for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) listen(host, true);
    listen("127.0.0.4");
    names_.add("server.test", {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"});
    dial({.attempt_delay = milliseconds{100}});
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_GE(taken(), milliseconds{300});
    EXPECT_LE(taken(), milliseconds{305});
}

TEST_F(DialInSimulatedTime, AFailureIsNotWaitedFor) {
    listen("127.0.0.2");
    names_.add("server.test", {"[::1]", "127.0.0.2"});
    dial();
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_LE(taken(), milliseconds{5});
}

TEST_F(DialInSimulatedTime, TheFamiliesTakeTurns) {
    for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) listen(host, true);
    listen("[::1]");
    names_.add("server.test", {"127.0.0.1", "127.0.0.2", "127.0.0.3", "[::1]"});
    dial();
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_LE(taken(), milliseconds{255}) << "IPv6 was second";
}

TEST_F(DialInSimulatedTime, TheDeadlineEndsAllOfThem) {
    listen("127.0.0.1", true);
    listen("127.0.0.2", true);
    names_.add("server.test", {"127.0.0.1", "127.0.0.2", "127.0.0.3"});
    dial({.deadline = now() + milliseconds{400}});
    run_until_told();
    ASSERT_TRUE(witness_.failed);
    EXPECT_GE(*witness_.failed - begun_, milliseconds{400});
    EXPECT_LE(*witness_.failed - begun_, milliseconds{405});
    for (const char* part :
         {"127.0.0.1:80: no answer", "127.0.0.2:80: no answer", "1 more not tried", "ETIMEDOUT"}) {
        EXPECT_NE(witness_.text.find(part), std::string::npos) << witness_.text;
    }
}

TEST_F(DialInSimulatedTime, RoundsFollowEachOtherAfterPausesByChance) {
    names_.add("server.test", {"127.0.0.1"});
    dial({.retry = {.attempts = 6, .first_delay = seconds{1}, .delay_max = seconds{4}, .seed = 7}});
    run_until_told();
    ASSERT_TRUE(witness_.failed);
    ASSERT_EQ(asked_at_.size(), 6U);
    Duration bound = seconds{1};
    std::vector<Duration> pauses;
    for (std::size_t i = 1; i < asked_at_.size(); ++i) {
        pauses.push_back(asked_at_[i] - asked_at_[i - 1]);
        EXPECT_LE(pauses.back(), bound + milliseconds{5});
        bound = std::min<Duration>(2 * bound, seconds{4});
    }
    EXPECT_GT(*std::ranges::max_element(pauses), milliseconds{100});
    EXPECT_NE(witness_.text.find("after 6 attempts"), std::string::npos) << witness_.text;
}

TEST_F(DialInSimulatedTime, APauseThatWouldReachTheDeadlineIsNotBegun) {
    names_.add("server.test", {"127.0.0.1"});
    dial({.deadline = now() + milliseconds{20},
          .retry = {
              .attempts = 9, .first_delay = seconds{60}, .delay_max = seconds{60}, .seed = 1}});
    run_until_told();
    ASSERT_TRUE(witness_.failed);
    EXPECT_LE(*witness_.failed - begun_, milliseconds{5});
    EXPECT_NE(witness_.text.find("ECONNREFUSED"), std::string::npos) << witness_.text;
}

}  // namespace
}  // namespace berth::simulation
