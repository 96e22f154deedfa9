// SPDX-License-Identifier: MIT
//
// CaresResolver asked for both families: what it says early, what it says at last, and under which
// names it looks.

#include "cares/name_server.hpp"

#include <berth/cares_resolver.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::seconds;
using Refusal = NameServer::Refusal;
using Addresses = std::vector<IpEndpoint>;

class CaresFamilies : public testing::Test {
protected:
    // As `search` and `options ndots` of resolv.conf(5).
    CaresFamilies() {
        ::setenv("LOCALDOMAIN", "search.example", 1);
        ::setenv("RES_OPTIONS", "ndots:2", 1);
    }
    ~CaresFamilies() override {
        ::unsetenv("LOCALDOMAIN");
        ::unsetenv("RES_OPTIONS");
    }

    void ask(const std::string& host) {
        auto made = CaresResolver::make({.servers = server.address(), .tries = 1});
        ASSERT_TRUE(made) << made.error().to_string();
        resolver = std::move(*made);
        resolver->resolve({.host = host, .early = answers.note_early()}, answers.note());
    }
    // Refuses whatever is asked until there is an answer; the names, each once.
    std::vector<std::string> refuse_all() {
        std::vector<std::string> names;
        EXPECT_TRUE(eventually([&] {
            while (const auto name = server.hear_now()) {
                if (std::ranges::find(names, *name) == names.end()) names.push_back(*name);
                server.refuse(Refusal::no_name);
            }
            return answers.count() == 1;
        }));
        return names;
    }

    NameServer server;
    Answers answers;
    std::unique_ptr<CaresResolver> resolver;  // the first to go: it answers what is open
};

const Addresses kFour{ip_of("192.0.2.7")};
const Addresses kSix{ip_of("[2001:db8::7]")};
const Addresses kBoth{kSix[0], kFour[0]};

TEST_F(CaresFamilies, TheOneThatIsAnsweredFirstIsToldEarly) {
    ask("www.server.example");
    EXPECT_EQ(server.hear_both(), "www.server.example");
    server.answer("[2001:db8::7]", 60);
    EXPECT_EQ(answers.early_at(), kSix);
    EXPECT_EQ(answers.count(), 0U);
    server.answer("192.0.2.7", 30);
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses, kBoth);
    EXPECT_EQ(answer->ttl, Duration(seconds{30})) << "the shortest";
    EXPECT_EQ(answers.early_count(), 1U) << "the last is not early";
}

TEST_F(CaresFamilies, Ipv6IsFirstInTheAnswerWhicheverCameFirst) {
    ask("www.server.example");
    server.hear_both();
    server.answer("192.0.2.7", 30);
    EXPECT_EQ(answers.early_at(), kFour);
    server.answer("[2001:db8::7]", 60);
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses, kBoth);
    EXPECT_EQ(answer->ttl, Duration(seconds{30}));
}

TEST_F(CaresFamilies, OneIsEnough) {
    ask("www.server.example");
    server.hear_both();
    server.refuse_ipv6(Refusal::no_data);
    server.answer("192.0.2.7", 30);
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses, kFour);
    EXPECT_EQ(answers.early_count(), 0U) << "that there is none is no address";
}

TEST_F(CaresFamilies, WhatFailedDoesNotSpoilWhatIsThere) {
    ask("www.server.example");
    server.hear_both();
    server.answer("[2001:db8::7]", 60);
    EXPECT_EQ(answers.early_at(), kSix);
    server.refuse_ipv4(Refusal::failed);
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses, kSix);
}

TEST_F(CaresFamilies, ThatOneCouldNotBeAskedIsNotThatThereIsNone) {
    ask("www.server.example");
    server.hear_both();
    server.refuse_ipv6(Refusal::failed);
    server.refuse_ipv4(Refusal::no_data);
    EXPECT_EQ(answers.at().error().code(), ErrorCode::name_unavailable);
}

TEST_F(CaresFamilies, ANameThatDoesNotExistIsSearched) {
    ask("www.server.example");
    EXPECT_EQ(refuse_all(), (std::vector<std::string>{"www.server.example",
                                                      "www.server.example.search.example"}));
    EXPECT_EQ(answers.at().error().code(), ErrorCode::name_not_found);
}

TEST_F(CaresFamilies, ANameThatEndsWithADotIsNotSearched) {
    ask("www.server.example.");
    EXPECT_EQ(refuse_all(), std::vector<std::string>{"www.server.example"});
    EXPECT_EQ(answers.at().error().code(), ErrorCode::name_not_found);
}

TEST_F(CaresFamilies, OneFamilyOfANameIsNotLookedForUnderAnother) {
    ask("www.server.example");
    server.hear_both();
    server.refuse_ipv6(Refusal::no_data);
    server.answer("192.0.2.7", 30);
    EXPECT_TRUE(answers.at());
    while (const auto name = server.hear_now()) EXPECT_EQ(*name, "www.server.example");
}

TEST_F(CaresFamilies, WithFewDotsItIsSearchedFirstAndBothAreWaitedFor) {
    ask("www.server");
    EXPECT_EQ(server.hear_both(), "www.server.search.example");
    server.answer("[2001:db8::7]", 60);
    server.answer("192.0.2.7", 30);
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses.size(), 2U);
    EXPECT_EQ(answers.early_count(), 0U);
}

TEST_F(CaresFamilies, AnEndBetweenTheTwoIsAnAnswer) {
    ask("www.server.example");
    server.hear_both();
    server.answer("192.0.2.7", 30);
    EXPECT_EQ(answers.early_at(), kFour);
    resolver.reset();
    ASSERT_EQ(answers.count(), 1U);
    EXPECT_TRUE(answers.at()) << "what was known is not lost";
}

}  // namespace
}  // namespace berth::test
