// SPDX-License-Identifier: MIT
//
// Posting to a loop from other threads: no wake-up is lost, none is posted to a closed driver.
//
// Method: the loop waits without a deadline, so that a lost wake-up would leave it asleep; the
// runner's timeout reports that.

#include "driver/epoll/epoll_driver.hpp"
#include "driver/kernel_system.hpp"
#include "loop/loop.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace berth::loop {
namespace {

constexpr std::size_t kPosters = 2;

struct Counting final : Task {
    void run() override { done = true; }
    void cancel() override { done = true; }
    std::atomic<bool> done = false;
};

class PostedFromOtherThreads : public testing::Test, protected BatchEvents {
protected:
    void on_batch_end() override {}
    void open() {
        DriverFactory factory([](Loop& sink) {
            auto opened = driver::EpollDriver<Loop>::open(sink, sink.system(), {});
            return driver::Outcome<std::unique_ptr<driver::Driver>>(std::move(*opened));
        });
        ASSERT_TRUE(loop.open(factory));
    }

    Loop loop{driver::kernel_system(), *this};
};

// Each poster waits for its task before the next, so the loop goes to sleep again and again.
TEST_F(PostedFromOtherThreads, NoWakeUpIsLost) {
    constexpr std::size_t kPosts = 50'000;
    std::atomic<std::size_t> finished = 0;
    Counting last;
    open();
    std::vector<std::jthread> posters;
    for (std::size_t poster = 0; poster < kPosters; ++poster) {
        posters.emplace_back([&] {
            Counting task;
            for (std::size_t post = 0; post < kPosts; ++post) {
                task.done = false;
                ASSERT_TRUE(loop.post(task));
                while (!task.done) std::this_thread::yield();
            }
            if (++finished < kPosters) return;
            ASSERT_TRUE(loop.post(last));
        });
    }
    while (!last.done) ASSERT_TRUE(loop.run_once(Deadline::never()));
    posters.clear();
    loop.shut();
}

TEST_F(PostedFromOtherThreads, WhatIsTakenIsRunOrCancelledAlsoAgainstTheEnd) {
    for (int round = 0; round < 20; ++round) {
        std::array<std::vector<std::unique_ptr<Counting>>, kPosters> taken;
        open();
        std::vector<std::jthread> posters;
        for (auto& own : taken) {
            posters.emplace_back([&] {
                for (;;) {
                    auto task = std::make_unique<Counting>();
                    if (!loop.post(*task)) return;
                    own.push_back(std::move(task));
                }
            });
        }
        for (int i = 0; i < 5; ++i) ASSERT_TRUE(loop.run_once(Deadline::never()));
        loop.shut();
        posters.clear();
        for (const auto& own : taken) {
            for (const auto& task : own) ASSERT_TRUE(task->done);
        }
    }
}

}  // namespace
}  // namespace berth::loop
