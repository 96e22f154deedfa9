// SPDX-License-Identifier: MIT
//
// OutputPool: what was given back is used again, up to a bound.

#include "net/output_queue.hpp"
#include "support/allocations.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace berth::net {
namespace {

class AnOutputPool : public testing::Test {
protected:
    static constexpr std::size_t kMany = 400;  // more than a pool keeps

    std::vector<std::unique_ptr<OutputQueue>> take_filled(std::size_t count) {
        std::vector<std::unique_ptr<OutputQueue>> queues;
        queues.reserve(kMany);
        for (std::size_t i = 0; i < count; ++i) {
            queues.push_back(pool.take_queue());
            queues.back()->append_copy(as_bytes("x"));
        }
        return queues;
    }
    void give_back(std::vector<std::unique_ptr<OutputQueue>> queues) {
        for (auto& queue : queues) pool.give_back(std::move(queue));
    }
    // How often the heap was asked to fill so many queues.
    std::size_t allocations_to_fill(std::size_t count) {
        const std::size_t before = test::allocations_of_this_thread();
        const auto queues = take_filled(count);
        return test::allocations_of_this_thread() - before - 1;  // the vector's own
    }

    OutputPool pool;
};

TEST_F(AnOutputPool, GivesWhatWasGivenBack) {
    give_back(take_filled(100));
    EXPECT_EQ(allocations_to_fill(100), 0U);
}

TEST_F(AnOutputPool, KeepsNoMoreThanItsBound) {
    if (allocations_to_fill(1) == 0) GTEST_SKIP() << "this build counts no allocations";
    give_back(take_filled(kMany));
    EXPECT_GE(allocations_to_fill(kMany), (kMany - 256) * 3);  // queue, segment, chunk
}

}  // namespace
}  // namespace berth::net
