// SPDX-License-Identifier: MIT
//
// Gauge: up, down, and below nothing.

#include "base/gauge.hpp"

#include <gtest/gtest.h>

namespace berth::base {
namespace {

TEST(Gauge, GoesUpAndDown) {
    Gauge gauge;
    gauge.add();
    gauge.add(5);
    gauge.sub(2);
    EXPECT_EQ(gauge.value(), 4);
}

// A reader that adds up loops may see one that was left before the one that was entered.
TEST(Gauge, MayBeNegativeForAMoment) {
    Gauge gauge;
    gauge.sub();
    EXPECT_EQ(gauge.value(), -1);
}

}  // namespace
}  // namespace berth::base
