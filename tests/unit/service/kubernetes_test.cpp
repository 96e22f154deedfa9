// SPDX-License-Identifier: MIT
//
// kubernetes: the grace period that a pod needs.

#include "service/kubernetes.hpp"

#include <berth/options.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace berth::service {
namespace {

using namespace std::chrono_literals;

TEST(Kubernetes, NeedsTheWholeStopAndTwoSeconds) {
    Options options;
    options.drain = 30s;
    EXPECT_EQ(grace_period(options), 32s);
    options.lame_duck = 5s;
    EXPECT_EQ(grace_period(options), 37s);
    options.drain = 1'100ms;
    EXPECT_EQ(grace_period(options), 9s) << "rounded up";
}

}  // namespace
}  // namespace berth::service
