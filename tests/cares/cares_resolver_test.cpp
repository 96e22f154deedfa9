// SPDX-License-Identifier: MIT
//
// CaresResolver against a name server that the test plays.

#include <berth/cares_resolver.hpp>

#include "support/eventually.hpp"
#include "support/raw_datagram.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kHead = 12;  // of a DNS message, RFC 1035, 4.1.1
constexpr char kFailed = 2;        // RCODE: SERVFAIL
constexpr char kNoName = 3;        // RCODE: NXDOMAIN

// Answers one question at a time, as it is told.
class NameServer {
public:
    std::string address() const { return "127.0.0.1:" + std::to_string(socket_.endpoint().port()); }
    // The name of the next question, as labels with dots.
    std::string hear() {
        asked_ = socket_.read();
        std::string name;
        for (std::size_t at = kHead; at < asked_.bytes.size() && asked_.bytes[at] != 0;) {
            const auto length = static_cast<std::size_t>(asked_.bytes[at]);
            if (!name.empty()) name += '.';
            name += asked_.bytes.substr(at + 1, length);
            at += length + 1;
        }
        question_end_ = kHead + name.size() + 2 + 4;  // type and class
        return name;
    }
    void answer(const IpEndpoint& ip, char ttl) {
        const std::string record{'\xc0', 12, 0, 1, 0, 1, 0, 0, 0, ttl, 0, 4};  // A, IN
        std::string address;
        for (int i = 0; i < 4; ++i) {
            address += static_cast<char>(ip.address.at(static_cast<std::size_t>(i)));
        }
        send(0, 1, record + address);
    }
    void refuse(char code) { send(code, 0, ""); }

private:
    void send(char code, char answers, const std::string& records) {
        std::string reply = asked_.bytes.substr(0, question_end_);
        reply[2] = static_cast<char>(0x81);         // a reply, recursion was desired
        reply[3] = static_cast<char>(0x80 | code);  // and is available
        reply[6] = reply[8] = reply[9] = reply[10] = reply[11] = 0;
        reply[7] = answers;
        socket_.send_to({Scheme::udp, asked_.from}, reply + records);
    }

    RawDatagramSocket socket_{*Endpoint::parse("udp://127.0.0.1:0")};
    Letter asked_;
    std::size_t question_end_ = 0;
};

class Answers {
public:
    NameAnswer note() {
        return [this](Result<ResolvedName>&& answer) {
            const std::scoped_lock lock(mutex_);
            answers_.push_back(std::move(answer));
        };
    }
    std::size_t count() const {
        const std::scoped_lock lock(mutex_);
        return answers_.size();
    }
    Result<ResolvedName> at(std::size_t index = 0) const {
        EXPECT_TRUE(eventually([&] { return count() > index; }));
        const std::scoped_lock lock(mutex_);
        return answers_.at(index);
    }

private:
    mutable std::mutex mutex_;
    std::vector<Result<ResolvedName>> answers_;
};

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
    const IpEndpoint ip = Endpoint::parse("tcp://192.0.2.7:0")->ip();
    server.answer(ip, 60);
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses, std::vector<IpEndpoint>{ip});
    EXPECT_EQ(answer->ttl, Duration(seconds{60}));
}

TEST_F(Cares, AsksManyThingsAtATime) {
    const auto resolver = make();
    resolver->resolve({.host = "slow.example", .family = AddressFamily::v4}, answers.note());
    EXPECT_EQ(server.hear(), "slow.example");  // and no answer
    resolver->resolve({.host = "quick.example", .family = AddressFamily::v4}, answers.note());
    while (server.hear() != "quick.example") {
    }
    server.answer(Endpoint::parse("tcp://192.0.2.8:0")->ip(), 1);
    EXPECT_TRUE(answers.at());
    EXPECT_EQ(answers.count(), 1U);
}

TEST_F(Cares, TellsWhatThereIsNotFromWhoDidNotAnswer) {
    const auto resolver = make({.timeout = milliseconds{20}, .tries = 1});
    resolver->resolve({.host = "nobody.example", .family = AddressFamily::v4}, answers.note());
    server.hear();
    server.refuse(kNoName);
    EXPECT_EQ(answers.at(0).error().code(), ErrorCode::name_not_found);
    resolver->resolve({.host = "broken.example", .family = AddressFamily::v4}, answers.note());
    server.hear();
    server.refuse(kFailed);
    EXPECT_EQ(answers.at(1).error().code(), ErrorCode::name_unavailable);
    resolver->resolve({.host = "silent.example", .family = AddressFamily::v4}, answers.note());
    EXPECT_EQ(answers.at(2).error().code(), ErrorCode::name_unavailable);
}

TEST_F(Cares, LeavesNamesOfThisMachineToTheSystem) {
    const auto resolver = make();
    resolver->resolve({.host = "localhost", .family = AddressFamily::v4}, answers.note());
    const auto answer = answers.at();
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->addresses.at(0), Endpoint::parse("tcp://127.0.0.1:0")->ip());
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
