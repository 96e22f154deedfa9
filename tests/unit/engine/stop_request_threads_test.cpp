// SPDX-License-Identifier: MIT
//
// StopRequest between threads: whoever comes first, the earliest deadline of all is kept.

#include "engine/stop_request.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace berth::engine {
namespace {

TEST(AskedByManyThreads, EarliestDeadlineWinsAndSomeoneIsNamed) {
    StopRequest request;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&request, thread] {
                for (int left = 5'000; left > 0; --left) {
                    request.ask(StopSource::Kind::api, {Duration(left * 4 + thread)});
                }
            });
        }
    }
    EXPECT_EQ(request.deadline(), Instant{Duration(4)});
    EXPECT_EQ(request.source().to_string(), "api");
}

}  // namespace
}  // namespace berth::engine
