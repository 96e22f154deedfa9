// SPDX-License-Identifier: MIT
//
// eventually: waits until a fact holds, bounded, and prints what it saw when it never did.
//
// A passing test waits no longer than it must; a failing one ends after patience(). A step moves
// the world between two looks: it polls a driver, or lets other threads run (the default).
//
//     ASSERT_TRUE(eventually([&] { return engine_stopped; }));
//     ASSERT_TRUE(eventually(holds, [&] { poll_once(); }, [&] { return sink.to_string(); }));

#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace berth::test {

// 10 s, or BERTH_TEST_PATIENCE_MS: less where failures are expected, more under valgrind.
std::chrono::milliseconds patience();

// Gives the processor to others for a moment. The only pause of the test suites.
void let_others_run();

inline constexpr auto kNothingToShow = [] { return std::string{"(nothing recorded)"}; };

template <class Holds, class Step, class Describe>
::testing::AssertionResult eventually(Holds holds, Step step, Describe describe) {
    const auto end = std::chrono::steady_clock::now() + patience();
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= end) {
            return ::testing::AssertionFailure()
                   << "not within " << patience().count() << " ms; saw: " << describe();
        }
        step();
    }
    return ::testing::AssertionSuccess();
}

template <class Holds>
::testing::AssertionResult eventually(Holds holds) {
    return eventually(holds, let_others_run, kNothingToShow);
}

}  // namespace berth::test
