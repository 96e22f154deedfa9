// SPDX-License-Identifier: MIT
//
// Watches: readiness alone, of what is so and of each change, and one end.

#include "conformance/conformance.hpp"

#include <algorithm>

namespace berth::conformance {
namespace {

using driver::Watched;

class Watch : public Conformance {
protected:
    std::size_t count_of_input(const Watched& watched) {
        return static_cast<std::size_t>(std::ranges::count_if(
            sink().of(watched),
            [](const Completion& each) { return each.kind == Kind::ready && each.ready.input; }));
    }
    ::testing::AssertionResult hears_input(const Watched& watched, std::size_t count = 1) {
        return world().until([&] { return count_of_input(watched) >= count; });
    }
    ::testing::AssertionResult hears_room(const Watched& watched) {
        return world().until([&] {
            return std::ranges::any_of(sink().of(watched), [](const Completion& each) {
                return each.kind == Kind::ready && each.ready.room;
            });
        });
    }
};

INSTANTIATE_TEST_SUITE_P(World, Watch, ::testing::ValuesIn(worlds()), name_of_world);

// 20
TEST_P(Watch, TellsOfInput) {
    const auto [watched, peer] = world().watched_pair();
    ASSERT_TRUE(driver().start_watch(watched));
    world().advance_idly();
    EXPECT_EQ(count_of_input(watched), 0U);
    world().send_all(*peer, "hello");
    EXPECT_TRUE(hears_input(watched));
}

// 20
TEST_P(Watch, TellsOfWhatWasThereBefore) {
    const auto [watched, peer] = world().watched_pair();
    world().send_all(*peer, "early");
    world().advance_idly();
    ASSERT_TRUE(driver().start_watch(watched));
    EXPECT_TRUE(hears_input(watched));
}

// 20: each change, although nobody has read
TEST_P(Watch, TellsAgainOfMore) {
    const auto [watched, peer] = world().watched_pair();
    ASSERT_TRUE(driver().start_watch(watched));
    for (std::size_t count = 1; count <= 3; ++count) {
        const std::size_t before = count_of_input(watched);
        world().send_all(*peer, "more");
        ASSERT_TRUE(hears_input(watched, before + 1));
    }
}

// 20
TEST_P(Watch, TellsOfRoom) {
    const auto [watched, peer] = world().watched_pair();
    watched.wants_room = true;
    ASSERT_TRUE(driver().start_watch(watched));
    EXPECT_TRUE(hears_room(watched));
}

// 20
TEST_P(Watch, TellsOfTheEnd) {
    const auto [watched, peer] = world().watched_pair();
    ASSERT_TRUE(driver().start_watch(watched));
    peer->end();
    EXPECT_TRUE(hears_input(watched));
}

// 21
TEST_P(Watch, EndsOnceWhenStopped) {
    const auto [watched, peer] = world().watched_pair();
    ASSERT_TRUE(driver().start_watch(watched));
    driver().stop_watch(watched);
    ASSERT_TRUE(comes(Kind::watch_end, watched));
    world().send_all(*peer, "too late");
    world().advance_idly();
    EXPECT_EQ(sink().kinds_of(watched), std::vector{Kind::watch_end});
}

// 21
TEST_P(Watch, StopsFromInsideItsCompletion) {
    const auto [watched, peer] = world().watched_pair();
    sink().on_completion = [this, &source = watched](const Completion& each, Bytes) {
        if (each.kind == Kind::ready && each.ready.input) driver().stop_watch(source);
    };
    ASSERT_TRUE(driver().start_watch(watched));
    world().send_all(*peer, "the last");
    ASSERT_TRUE(comes(Kind::watch_end, watched));
    world().send_all(*peer, "too late");
    world().advance_idly();
    EXPECT_EQ(count_of_input(watched), 1U);
    EXPECT_EQ(sink().of(watched).back().kind, Kind::watch_end);
}

// 21: also where both had something to tell in the same poll
TEST_P(Watch, StopsFromInsideAnothersCompletion) {
    const auto [one, peer_of_one] = world().watched_pair();
    const auto [other, peer_of_other] = world().watched_pair();
    const Watched* stopped = nullptr;
    sink().on_completion = [&, &first = one, &second = other](const Completion& each, Bytes) {
        if (stopped != nullptr || each.kind != Kind::ready || !each.ready.input) return;
        Watched& silenced = each.source == &first ? second : first;
        stopped = &silenced;
        driver().stop_watch(silenced);
    };
    world().send_all(*peer_of_one, "something");
    world().send_all(*peer_of_other, "something");
    ASSERT_TRUE(driver().start_watch(one));
    ASSERT_TRUE(driver().start_watch(other));
    ASSERT_TRUE(world().until([&] { return stopped != nullptr; }));
    ASSERT_TRUE(comes(Kind::watch_end, *stopped));
    world().advance_idly();
    EXPECT_EQ(count_of_input(*stopped), 0U);
    EXPECT_EQ(sink().of(*stopped).back().kind, Kind::watch_end);
}

// 21: the descriptor is as it was
TEST_P(Watch, StartsAgainAfterTheEnd) {
    const auto [watched, peer] = world().watched_pair();
    ASSERT_TRUE(driver().start_watch(watched));
    driver().stop_watch(watched);
    ASSERT_TRUE(comes(Kind::watch_end, watched));
    ASSERT_TRUE(driver().start_watch(watched));
    world().send_all(*peer, "hello");
    EXPECT_TRUE(hears_input(watched));
}

}  // namespace
}  // namespace berth::conformance
