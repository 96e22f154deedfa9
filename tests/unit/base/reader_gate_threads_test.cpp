// SPDX-License-Identifier: MIT
//
// ReaderGate: nobody looks at what is being replaced.

#include "base/reader_gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace berth::base {
namespace {

TEST(ReaderGate, IsShutAtFirstAndWheneverItIsTold) {
    ReaderGate gate;
    EXPECT_FALSE(ReaderGate::Visit(gate).is_inside());
    gate.open();
    EXPECT_TRUE(ReaderGate::Visit(gate).is_inside());
    gate.shut();
    EXPECT_FALSE(ReaderGate::Visit(gate).is_inside());
}

TEST(ReaderGate, ReadersSeeTheWholeOrNothing) {
    ReaderGate gate;
    std::string shared;
    std::atomic<bool> is_over = false;
    std::atomic<int> torn = 0;
    std::thread reader([&] {
        while (!is_over) {
            const ReaderGate::Visit visit(gate);
            if (!visit.is_inside()) continue;
            const std::string seen = shared;
            if (seen.find_first_not_of(seen.front()) != std::string::npos) ++torn;
        }
    });
    for (std::size_t i = 0; i < 2'000; ++i) {
        gate.shut();
        shared.assign(20 + i % 50, static_cast<char>('a' + i % 26));
        gate.open();
    }
    is_over = true;
    reader.join();
    EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace berth::base
