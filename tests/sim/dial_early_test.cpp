// SPDX-License-Identifier: MIT
//
// Dials in simulated time whose resolver knows one family before the other: RFC 8305, 3.

#include "sim/simulated_dials.hpp"

#include <chrono>
#include <string>

namespace berth::simulation {
namespace {

using std::chrono::milliseconds;

class DialThatKnowsEarly : public SimulatedDials {
protected:
    // Dials, and the resolver is asked.
    void ask(DialOptions how = {}, const std::string& scheme = "tcp") {
        names_.hold();
        dial(std::move(how), scheme);
        run([this] { return names_.asked() == 1; });
    }
    void expect_opened(const std::string& peer, Duration after) {
        run_until_told();
        ASSERT_TRUE(witness_.opened) << witness_.text;
        EXPECT_EQ(witness_.peer_seen.to_string(), "tcp://" + peer + ":80");
        EXPECT_GE(taken(), after);
        EXPECT_LE(taken(), after + milliseconds{5});
    }
};

TEST_F(DialThatKnowsEarly, Ipv6IsTriedAtOnce) {
    listen("[::1]");
    ask();
    run_to(milliseconds{20});
    names_.tell_early({"[::1]"});
    expect_opened("[::1]", milliseconds{20});
    EXPECT_TRUE(names_.query().stop.stop_requested()) << "nobody waits for the answer";
}

TEST_F(DialThatKnowsEarly, Ipv4Waits50Ms) {
    listen("127.0.0.1");
    ask();
    run_to(milliseconds{20});
    names_.tell_early({"127.0.0.1"});
    expect_opened("127.0.0.1", milliseconds{70});
}

TEST_F(DialThatKnowsEarly, TheWaitIsOnceAndNotAnewWithEachWord) {
    listen("127.0.0.1");
    ask();
    names_.tell_early({"127.0.0.1"});
    run_to(milliseconds{40});
    names_.tell_early({"127.0.0.1", "127.0.0.2"});
    expect_opened("127.0.0.1", milliseconds{50});
}

TEST_F(DialThatKnowsEarly, Ipv6EndsTheWaitOfIpv4AndGoesFirst) {
    listen("127.0.0.1");
    listen("[::1]");
    ask();
    names_.tell_early({"127.0.0.1"});
    run_to(milliseconds{20});
    names_.tell_early({"[::1]", "127.0.0.1"});
    expect_opened("[::1]", milliseconds{20});
}

TEST_F(DialThatKnowsEarly, TheAnswerEndsTheWaitOfIpv4) {
    listen("127.0.0.1");
    names_.add("server.test", {"127.0.0.1"});
    ask();
    names_.tell_early({"127.0.0.1"});
    run_to(milliseconds{20});
    names_.release();
    expect_opened("127.0.0.1", milliseconds{20});
}

TEST_F(DialThatKnowsEarly, WhereOnlyIpv4IsAskedForItDoesNotWait) {
    listen("127.0.0.1");
    ask({}, "tcp4");
    names_.tell_early({"127.0.0.1"});
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_LE(taken(), milliseconds{5});
}

TEST_F(DialThatKnowsEarly, WhatComesLaterWaitsForItsTurn) {
    listen("[::1]", true);
    listen("127.0.0.1");
    names_.add("server.test", {"[::1]", "127.0.0.1"});
    ask();
    names_.tell_early({"[::1]"});
    run_to(milliseconds{100});
    names_.release();
    expect_opened("127.0.0.1", milliseconds{250});
}

TEST_F(DialThatKnowsEarly, WhatComesAfterItsTurnIsTriedAtOnce) {
    listen("[::1]", true);
    listen("127.0.0.1");
    names_.add("server.test", {"[::1]", "127.0.0.1"});
    ask();
    names_.tell_early({"[::1]"});
    run_to(milliseconds{400});
    names_.release();
    expect_opened("127.0.0.1", milliseconds{400});
}

TEST_F(DialThatKnowsEarly, WhatComesAfterAFailureIsTriedAtOnce) {
    listen("127.0.0.1");
    names_.add("server.test", {"[::1]", "127.0.0.1"});
    ask();
    names_.tell_early({"[::1]"});  // refused
    run_to(milliseconds{30});
    EXPECT_FALSE(witness_.is_told()) << "there may be more";
    names_.release();
    expect_opened("127.0.0.1", milliseconds{30});
}

TEST_F(DialThatKnowsEarly, AnAnswerThatFailsLeavesWhatWasKnown) {
    names_.add("server.test", ErrorCode::name_unavailable);
    ask();
    names_.tell_early({"[::1]"});  // refused
    run_to(milliseconds{30});
    names_.release();
    run_until_told();
    ASSERT_TRUE(witness_.failed);
    EXPECT_NE(witness_.text.find("tcp://[::1]:80"), std::string::npos) << witness_.text;
    EXPECT_NE(witness_.text.find("ECONNREFUSED"), std::string::npos) << witness_.text;
}

TEST_F(DialThatKnowsEarly, TheNextAttemptKnowsNothingOfTheLastOne) {
    listen("127.0.0.1");
    names_.add("server.test", ErrorCode::name_unavailable);
    names_.add("server.test", {"127.0.0.1"});
    ask({.retry = {.attempts = 2, .first_delay = milliseconds{1}}});
    names_.tell_early({"[::1]"});  // refused
    run_to(milliseconds{30});
    names_.release();
    run_until_told();
    ASSERT_TRUE(witness_.opened) << witness_.text;
    EXPECT_EQ(names_.asked(), 2U);
}

TEST_F(DialThatKnowsEarly, TheDeadlineEndsItsWait) {
    ask({.deadline = now() + milliseconds{30}});
    names_.tell_early({"127.0.0.1"});
    run_until_told();
    ASSERT_TRUE(witness_.failed);
    EXPECT_LE(*witness_.failed - begun_, milliseconds{35});
    EXPECT_NE(witness_.text.find("no address was tried"), std::string::npos) << witness_.text;
    names_.tell_early({"[::1]"});  // too late, and harmless
}

}  // namespace
}  // namespace berth::simulation
