// SPDX-License-Identifier: MIT
//
// Assertions: a broken rule ends the process and names itself; a kept one costs nothing.

#include "base/assert.hpp"

#include <gtest/gtest.h>

namespace berth::base {
namespace {

TEST(AssertDeathTest, PrintsTheRuleAndThePlaceAndAborts) {
    EXPECT_DEATH(BERTH_ASSERT(1 + 1 == 3, "sums are right"),
                 "rule broken: sums are right \\(.*assert_test\\.cpp:[0-9]+\\)");
}

TEST(Assert, EvaluatesItsConditionOnce) {
    int evaluations = 0;
    BERTH_ASSERT(++evaluations == 1, "a condition is evaluated once");
    EXPECT_EQ(evaluations, 1);
}

}  // namespace
}  // namespace berth::base
