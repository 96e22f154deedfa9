// SPDX-License-Identifier: MIT
//
// BackOff: bounds that grow, pauses by chance below them, and an end.

#include "net/back_off.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <vector>

namespace berth::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<Duration> pauses(const DialRetry& retry, std::uint64_t seed = 1) {
    BackOff back_off(retry, seed);
    std::vector<Duration> all;
    while (const auto pause = back_off.next()) all.push_back(*pause);
    return all;
}

TEST(BackOff, OneAttemptHasNoPause) { EXPECT_TRUE(pauses({}).empty()); }

TEST(BackOff, CountsTheFirstAttempt) { EXPECT_EQ(pauses({.attempts = 5}).size(), 4U); }

TEST(BackOff, StaysBelowABoundThatGrows) {
    const DialRetry retry{
        .attempts = 8, .first_delay = milliseconds{100}, .factor = 2, .delay_max = seconds{1}};
    for (std::uint64_t seed = 1; seed < 200; ++seed) {
        Duration bound = milliseconds{100};
        for (const Duration pause : pauses(retry, seed)) {
            EXPECT_GE(pause, Duration::zero());
            EXPECT_LE(pause, bound);
            bound = std::min<Duration>(2 * bound, seconds{1});
        }
    }
}

TEST(BackOff, UsesTheWholeBound) {
    Duration least = hours{1};
    Duration most{0};
    for (std::uint64_t seed = 1; seed < 500; ++seed) {
        const Duration first =
            pauses({.attempts = 2, .first_delay = milliseconds{100}}, seed).front();
        least = std::min(least, first);
        most = std::max(most, first);
    }
    EXPECT_LT(least, milliseconds{5});
    EXPECT_GT(most, milliseconds{95});
}

TEST(BackOff, IsTheSameForTheSameSeed) {
    const DialRetry seeded{.attempts = 10, .seed = 42};
    EXPECT_EQ(pauses(seeded, 1), pauses(seeded, 2)) << "its own seed comes first";
    EXPECT_NE(pauses({.attempts = 10}, 1), pauses({.attempts = 10}, 2));
}

TEST(BackOff, GrowsPastAnythingOnlyToItsBound) {
    const DialRetry steep{
        .attempts = 400, .first_delay = seconds{1}, .factor = 1e6, .delay_max = hours{24}};
    for (const Duration pause : pauses(steep)) EXPECT_LE(pause, hours{24});
}

TEST(BackOff, AFirstDelayOfNothingStaysNothing) {
    for (const Duration pause : pauses({.attempts = 5, .first_delay = Duration::zero()})) {
        EXPECT_EQ(pause, Duration::zero());
    }
}

TEST(DialRetry, OutOfRangeIsRefusedByName) {
    const auto refusal = [](const DialRetry& retry) {
        const auto checked = check_retry(retry);
        return checked ? "" : std::string(checked.error().detail());
    };
    EXPECT_EQ(refusal({}), "");
    EXPECT_NE(refusal({.attempts = 0}).find("attempts"), std::string::npos);
    EXPECT_NE(refusal({.first_delay = -seconds{1}}).find("first_delay"), std::string::npos);
    EXPECT_NE(refusal({.factor = 0.5}).find("factor"), std::string::npos);
    EXPECT_NE(refusal({.factor = std::numeric_limits<double>::quiet_NaN()}).find("factor"),
              std::string::npos);
    EXPECT_NE(refusal({.delay_max = -seconds{1}}).find("delay_max"), std::string::npos);
}

}  // namespace
}  // namespace berth::net
