// SPDX-License-Identifier: MIT
//
// DialFailures: what may pass, and one Error that names every address.

#include "net/dial_failures.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace berth::net {
namespace {

const Destination kName = *Destination::parse("tcp://host.example:80");
const Endpoint kSix = *Endpoint::parse("tcp://[2001:db8::1]:80");
const Endpoint kFour = *Endpoint::parse("tcp://192.0.2.1:80");

TEST(DialFailures, ThatMayPassAreWorthAnotherAttempt) {
    for (const int errno_value : {ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENOENT}) {
        DialFailures failures;
        failures.begin_round();
        failures.add(kFour, errno_value);
        EXPECT_TRUE(failures.may_pass()) << errno_value;
    }
    for (const int errno_value : {EACCES, EMFILE, EADDRNOTAVAIL, EINVAL}) {
        DialFailures failures;
        failures.begin_round();
        failures.add(kFour, errno_value);
        EXPECT_FALSE(failures.may_pass()) << errno_value;
    }
}

TEST(DialFailures, OneThatMayPassIsEnough) {
    DialFailures failures;
    failures.begin_round();
    failures.add(kSix, EACCES);
    failures.add(kFour, ECONNREFUSED);
    EXPECT_TRUE(failures.may_pass());
}

TEST(DialFailures, OfNamesPassWhereNobodyAnswered) {
    DialFailures failures;
    failures.begin_round();
    failures.add_unresolved(Error(ErrorCode::name_unavailable, "resolve"));
    EXPECT_TRUE(failures.may_pass());
    failures.begin_round();
    failures.add_unresolved(Error(ErrorCode::name_not_found, "resolve"));
    EXPECT_FALSE(failures.may_pass());
}

TEST(DialFailures, NameEachAddressAndItsReason) {
    DialFailures failures;
    failures.begin_round();
    failures.add(kSix, ENETUNREACH);
    failures.add(kFour, ECONNREFUSED);
    const Error error = failures.error(kName, failures.last_errno());
    EXPECT_EQ(error.errno_value(), ECONNREFUSED);
    EXPECT_EQ(error.to_string(),
              "connect tcp://host.example:80: connection refused (ECONNREFUSED): "
              "tcp://[2001:db8::1]:80: network is unreachable (ENETUNREACH), "
              "tcp://192.0.2.1:80: connection refused (ECONNREFUSED)");
}

TEST(DialFailures, TellWhatWasUnderWayAtTheDeadline) {
    DialFailures failures;
    failures.begin_round();
    failures.add(kSix, 0);
    failures.note_untried(2);
    const std::string text = failures.error(kName, ETIMEDOUT).to_string();
    EXPECT_NE(text.find("ETIMEDOUT"), std::string::npos) << text;
    EXPECT_NE(text.find("tcp://[2001:db8::1]:80: no answer, 2 more not tried"), std::string::npos)
        << text;
}

TEST(DialFailures, AreThoseOfTheLastRound) {
    DialFailures failures;
    failures.begin_round();
    failures.add(kSix, ENETUNREACH);
    failures.begin_round();
    failures.add(kFour, ECONNREFUSED);
    const std::string text = failures.error(kName, ECONNREFUSED).to_string();
    EXPECT_EQ(text.find("2001"), std::string::npos) << text;
    EXPECT_NE(text.find("after 2 attempts"), std::string::npos) << text;
}

TEST(DialFailures, OfANameKeepItsReasonAndRemedy) {
    DialFailures failures;
    failures.begin_round();
    failures.add_unresolved(
        Error(ErrorCode::name_unavailable, "resolve").because("silence").fix("ask again"));
    const Error error = failures.error(kName, 0);
    EXPECT_EQ(error.code(), ErrorCode::name_unavailable);
    EXPECT_EQ(error.to_string(),
              "resolve tcp://host.example:80: name unavailable: silence; fix: ask again");
}

}  // namespace
}  // namespace berth::net
