// SPDX-License-Identifier: MIT
//
// Connecting: one answer, never from inside the call, and receiving is armed after it.

#include "conformance/conformance.hpp"

#include <cerrno>

namespace berth::conformance {
namespace {

using Kinds = std::vector<Kind>;
using driver::Ending;
using driver::Stream;

class Connect : public Conformance {};

INSTANTIATE_TEST_SUITE_P(World, Connect, ::testing::ValuesIn(worlds()), name_of_world);

// 2, and what is armed afterwards (7)
TEST_P(Connect, CompletesOnceAndReceives) {
    const auto there = world().peer_listener();
    Stream& stream = world().stream_towards(there->endpoint());
    ASSERT_TRUE(driver().connect(stream, there->endpoint()));
    ASSERT_TRUE(comes(Kind::connected, stream));
    const auto peer = there->accept_now();
    ASSERT_NE(peer, nullptr);

    world().send_all(*peer, "welcome");
    ASSERT_TRUE(receives(stream, 7));
    world().advance_idly();
    EXPECT_EQ(sink().bytes_of(stream), "welcome");
    EXPECT_EQ(sink().all().front().kind, Kind::connected);
    EXPECT_EQ(sink().count_of(stream, Kind::connected), 1u);
    EXPECT_EQ(sink().first(stream, Kind::connected).errno_value, 0);
}

// 2
TEST_P(Connect, ReportsARefusalOnce) {
    const auto there = world().peer_listener();
    there->close();
    Stream& stream = world().stream_towards(there->endpoint());
    ASSERT_TRUE(driver().connect(stream, there->endpoint()));
    ASSERT_TRUE(comes(Kind::connected, stream));
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(stream), Kinds{Kind::connected});
    EXPECT_EQ(sink().first(stream, Kind::connected).errno_value, ECONNREFUSED);

    driver().close(stream, Ending::orderly);
    EXPECT_TRUE(comes(Kind::closed, stream));
}

// 3: also where the kernel connects or refuses at once
TEST_P(Connect, CompletesInPollOnly) {
    const auto there = world().peer_listener();
    Stream& stream = world().stream_towards(there->endpoint());
    ASSERT_TRUE(driver().connect(stream, there->endpoint()));
    EXPECT_TRUE(sink().all().empty());
    EXPECT_TRUE(comes(Kind::connected, stream));
}

// 2
TEST_P(Connect, ClosingAnswersItSilently) {
    const auto there = world().peer_listener();
    Stream& stream = world().stream_towards(there->endpoint());
    ASSERT_TRUE(driver().connect(stream, there->endpoint()));
    driver().close(stream, Ending::orderly);
    ASSERT_TRUE(comes(Kind::closed, stream));
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(stream), Kinds{Kind::closed});
}

}  // namespace
}  // namespace berth::conformance
