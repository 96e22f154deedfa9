// SPDX-License-Identifier: MIT
//
// Buffer between threads: different Buffers of one block are shared, read and dropped at the
// same time; the last one frees it, once. The sanitizers are the judges.

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>

#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

namespace berth {
namespace {

void share_and_read(const Buffer& own, std::latch& start) {
    start.arrive_and_wait();
    for (int round = 0; round < 10'000; ++round) {
        const Buffer another = own.share();
        ASSERT_EQ(as_text(another.bytes()), "shared by all");
    }
}

TEST(BufferThreads, AreFreeToShareReadAndDropOneBlock) {
    constexpr int kThreads = 4;
    std::latch start(kThreads);
    Buffer original = Buffer::copy_of("shared by all");
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&start, own = original.share()] { share_and_read(own, start); });
    }
    original = Buffer();  // one of the threads is the last holder
}

}  // namespace
}  // namespace berth
