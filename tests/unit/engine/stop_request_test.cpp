// SPDX-License-Identifier: MIT
//
// StopRequest: the first who asks is named, the earliest deadline counts.

#include "engine/stop_request.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace berth::engine {
namespace {

using std::chrono::seconds;

constexpr Instant at(int second) { return {seconds{second}}; }

TEST(StopRequest, IsNotAskedAtFirst) {
    const StopRequest request;
    EXPECT_FALSE(request.is_asked());
    EXPECT_TRUE(request.deadline().is_never());
    EXPECT_EQ(request.source().to_string(), "nobody");
}

TEST(StopRequest, NamesTheFirstWhoAsked) {
    StopRequest request;
    request.ask(StopSource::Kind::handler, at(9));
    request.ask(StopSource(StopSource::Kind::signal, 15), at(5));
    EXPECT_TRUE(request.is_asked());
    EXPECT_EQ(request.source().to_string(), "handler");
}

TEST(StopRequest, EarliestDeadlineWins) {
    StopRequest request;
    request.ask(StopSource::Kind::api, at(20));
    request.ask(StopSource::Kind::api, at(5));
    request.ask(StopSource::Kind::api, at(30));
    EXPECT_EQ(request.deadline(), at(5));
}

TEST(StopRequest, MayHaveNoDeadlineAndGetOneLater) {
    StopRequest request;
    request.ask(StopSource::Kind::api, Instant::never());
    EXPECT_TRUE(request.is_asked());
    EXPECT_TRUE(request.deadline().is_never());
    request.ask(StopSource::Kind::api, at(1));
    EXPECT_EQ(request.deadline(), at(1));
}

TEST(StopRequest, IsForgottenByAReset) {
    StopRequest request;
    request.ask(StopSource::Kind::api, at(1));
    request.reset();
    EXPECT_FALSE(request.is_asked());
    EXPECT_TRUE(request.deadline().is_never());
}

TEST(StopSource, NamesItsSignal) {
    EXPECT_EQ(StopSource(StopSource::Kind::signal, 15).to_string(), "signal 15");
    EXPECT_EQ(StopSource(StopSource::Kind::api).to_string(), "api");
    EXPECT_EQ(StopSource(StopSource::Kind::loop_failure).to_string(), "loop failure");
}

}  // namespace
}  // namespace berth::engine
