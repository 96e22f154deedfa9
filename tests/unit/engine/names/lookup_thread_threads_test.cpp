// SPDX-License-Identifier: MIT
//
// LookupThread between threads: every question has one answer, whenever it ends.

#include "engine/names/lookup_thread.hpp"
#include "support/gate.hpp"

#include <berth/resolver.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace berth::engine {
namespace {

using test::eventually;
using test::Gate;

ResolvedName loopback() {
    return {.addresses = {IpEndpoint{.address = {127, 0, 0, 1}, .family = 4}}};
}

// What answers said, in their order.
class Answers {
public:
    NameAnswer note() {
        return [this](Result<ResolvedName>&& answer) {
            const std::scoped_lock lock(mutex_);
            codes_.push_back(answer ? std::nullopt : std::optional(answer.error().code()));
        };
    }
    std::vector<std::optional<ErrorCode>> all() {
        const std::scoped_lock lock(mutex_);
        return codes_;
    }
    bool came(std::size_t count) {
        return eventually([&] { return all().size() >= count; });
    }

private:
    std::mutex mutex_;
    std::vector<std::optional<ErrorCode>> codes_;
};

std::shared_ptr<LookupThread> make(LookupThread::LookUp look_up, std::size_t waiting_max = 1024) {
    return std::make_shared<LookupThread>(waiting_max, std::move(look_up));
}

TEST(LookupThread, AnswersInTheOrderOfTheQuestions) {
    std::vector<std::string> asked;
    const auto thread = make([&](const std::string& host, AddressFamily) -> Result<ResolvedName> {
        asked.push_back(host);
        return loopback();
    });
    Answers answers;
    for (const char* host : {"a", "b", "c"}) thread->ask({.host = host}, answers.note());
    EXPECT_TRUE(answers.came(3));
    thread->end();
    EXPECT_EQ(asked, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(LookupThread, WithoutQuestionsEndsAtOnce) {
    make([](const std::string&, AddressFamily) -> Result<ResolvedName> {
        return loopback();
    })->end();
}

TEST(LookupThread, DoesNotLookUpWhatNobodyWaitsFor) {
    std::atomic<int> looked_up = 0;
    const auto thread = make([&](const std::string&, AddressFamily) -> Result<ResolvedName> {
        ++looked_up;
        return loopback();
    });
    Answers answers;
    std::stop_source nobody;
    nobody.request_stop();
    thread->ask({.host = "a", .stop = nobody.get_token()}, answers.note());
    EXPECT_TRUE(answers.came(1)) << "an answer comes nevertheless";
    thread->end();
    EXPECT_EQ(looked_up, 0);
}

TEST(LookupThread, RefusesWhatIsMoreThanItsBound) {
    Gate busy;
    Gate go_on;
    const auto thread = make(
        [&](const std::string&, AddressFamily) -> Result<ResolvedName> {
            busy.open();
            EXPECT_TRUE(go_on.pass());
            return loopback();
        },
        2);
    Answers answers;
    thread->ask({.host = "busy"}, answers.note());
    ASSERT_TRUE(busy.pass());
    for (int i = 0; i < 3; ++i) thread->ask({.host = "waits"}, answers.note());
    ASSERT_EQ(answers.all().size(), 1U);
    EXPECT_EQ(answers.all()[0], ErrorCode::name_unavailable);
    for (int i = 0; i < 3; ++i) go_on.open();
    EXPECT_TRUE(answers.came(4));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(busy.pass());
    thread->end();
}

TEST(LookupThread, WhatThrowsIsAnAnswer) {
    const auto thread = make(
        [](const std::string&, AddressFamily) -> Result<ResolvedName> { throw std::bad_alloc(); });
    Answers answers;
    thread->ask({.host = "a"}, answers.note());
    EXPECT_TRUE(answers.came(1));
    EXPECT_EQ(answers.all()[0], ErrorCode::memory_limit);
    thread->end();
}

// The C library may be busy for as long as dead name servers make it.
TEST(LookupThread, EndsWithoutWaitingForALookupUnderWay) {
    Gate busy;
    Gate go_on;
    Gate left;
    auto thread = make([&](const std::string&, AddressFamily) -> Result<ResolvedName> {
        busy.open();
        EXPECT_TRUE(go_on.pass());
        return loopback();
    });
    Answers answers;
    thread->ask({.host = "slow"}, answers.note());
    ASSERT_TRUE(busy.pass());
    thread->ask({.host = "behind"}, answers.note());
    thread->end();
    ASSERT_EQ(answers.all().size(), 2U);
    for (const auto& code : answers.all()) EXPECT_EQ(code, ErrorCode::not_running);
    const std::weak_ptr<LookupThread> watched = thread;
    thread.reset();
    EXPECT_FALSE(watched.expired()) << "it is the thread's";
    go_on.open();
    EXPECT_TRUE(eventually([&] { return watched.expired(); })) << "nothing is left behind";
    EXPECT_EQ(answers.all().size(), 2U);
}

TEST(LookupThread, EveryQuestionHasOneAnswerWheneverItEnds) {
    for (int round = 0; round < 50; ++round) {
        const auto thread = make(
            [](const std::string&, AddressFamily) -> Result<ResolvedName> { return loopback(); });
        std::atomic<int> answered = 0;
        {
            std::vector<std::jthread> askers;
            for (int asker = 0; asker < 3; ++asker) {
                askers.emplace_back([&] {
                    for (int i = 0; i < 20; ++i) {
                        thread->ask({.host = "a"},
                                    [&](Result<ResolvedName>&&) { answered.fetch_add(1); });
                    }
                });
            }
        }
        thread->end();
        EXPECT_EQ(answered, 60);
    }
}

TEST(SystemResolver, KnowsThisMachine) {
    Answers answers;
    {
        SystemResolver resolver;
        resolver.resolve({.host = "localhost", .family = AddressFamily::v4}, answers.note());
        EXPECT_TRUE(answers.came(1));
    }
    EXPECT_EQ(answers.all(), std::vector<std::optional<ErrorCode>>(1));
}

TEST(SystemResolver, ThatIsDestroyedAnswersWhatIsOpen) {
    Answers answers;
    {
        SystemResolver resolver;
        for (int i = 0; i < 10; ++i) resolver.resolve({.host = "nobody.invalid"}, answers.note());
    }
    EXPECT_EQ(answers.all().size(), 10U);
}

}  // namespace
}  // namespace berth::engine
