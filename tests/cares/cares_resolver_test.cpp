// SPDX-License-Identifier: MIT
//
// CaresResolver against a name server that the test plays.

#include <berth/cares_resolver.hpp>

#include "cares/name_server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Cares : public testing::Test {
protected:
    std::unique_ptr<CaresResolver> make(CaresResolverOptions options = {}) const {
        options.servers = server.address();
        auto made = CaresResolver::make(options);
        EXPECT_TRUE(made) << made.error().to_string();
        return std::move(*made);
    }

    NameServer server;
    Answers answers;
};

TEST_F(Cares, GivesTheAddressAndItsTtl) {
    const auto resolver = make();
    resolver->resolve({.host = "server.example", .family = AddressFamily::v4}, answers.note());
    EXPECT_EQ(server.hear(), "server.example");
    server.answer("192.0.2.7", 60);
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses, std::vector<IpEndpoint>{ip_of("192.0.2.7")});
    EXPECT_EQ(answer->ttl, Duration(seconds{60}));
}

TEST_F(Cares, AsksManyThingsAtATime) {
    const auto resolver = make();
    resolver->resolve({.host = "slow.example", .family = AddressFamily::v4}, answers.note());
    EXPECT_EQ(server.hear(), "slow.example");  // and no answer
    resolver->resolve({.host = "quick.example", .family = AddressFamily::v4}, answers.note());
    while (server.hear() != "quick.example") {
    }
    server.answer("192.0.2.8", 1);
    EXPECT_TRUE(answers.at());
    EXPECT_EQ(answers.count(), 1U);
}

TEST_F(Cares, TellsWhatThereIsNotFromWhoDidNotAnswer) {
    const auto resolver = make({.timeout = milliseconds{20}, .tries = 1});
    resolver->resolve({.host = "nobody.example", .family = AddressFamily::v4}, answers.note());
    server.hear();
    server.refuse(NameServer::Refusal::no_name);
    EXPECT_EQ(answers.at(0).error().code(), ErrorCode::name_not_found);
    resolver->resolve({.host = "broken.example", .family = AddressFamily::v4}, answers.note());
    server.hear();
    server.refuse(NameServer::Refusal::failed);
    EXPECT_EQ(answers.at(1).error().code(), ErrorCode::name_unavailable);
    resolver->resolve({.host = "silent.example", .family = AddressFamily::v4}, answers.note());
    EXPECT_EQ(answers.at(2).error().code(), ErrorCode::name_unavailable);
}

TEST_F(Cares, LeavesNamesOfThisMachineToTheSystem) {
    const auto resolver = make();
    resolver->resolve({.host = "localhost", .family = AddressFamily::v4}, answers.note());
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses.at(0), ip_of("127.0.0.1"));
}

TEST_F(Cares, AnswersWhatIsOpenWhenItEnds) {
    auto resolver = make();
    for (int i = 0; i < 5; ++i) {
        resolver->resolve({.host = "slow.example", .family = AddressFamily::v4}, answers.note());
    }
    server.hear();
    resolver.reset();
    ASSERT_EQ(answers.count(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(answers.at(i).error().code(), ErrorCode::not_running);
    }
}

TEST_F(Cares, RefusesWhatIsMoreThanItsBound) {
    const auto resolver = make({.open_max = 1});
    resolver->resolve({.host = "slow.example", .family = AddressFamily::v4}, answers.note());
    resolver->resolve({.host = "more.example", .family = AddressFamily::v4}, answers.note());
    EXPECT_EQ(answers.at().error().code(), ErrorCode::name_unavailable);
}

TEST_F(Cares, RefusesOptionsByName) {
    const auto refusal = [](const CaresResolverOptions& options) {
        const auto made = CaresResolver::make(options);
        return made ? "" : made.error().to_string();
    };
    EXPECT_NE(refusal({.servers = "nonsense!"}).find("servers"), std::string::npos);
    EXPECT_NE(refusal({.timeout = Duration::zero()}).find("timeout"), std::string::npos);
    EXPECT_NE(refusal({.tries = 0}).find("tries"), std::string::npos);
}

}  // namespace
}  // namespace berth::test
