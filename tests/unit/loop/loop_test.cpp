// SPDX-License-Identifier: MIT
//
// Loop: one iteration, step by step, on a real driver.

#include "loop/loop.hpp"

#include "driver/epoll/epoll_driver.hpp"
#include "driver/kernel_system.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace berth::loop {
namespace {

using std::chrono::milliseconds;

class ALoop : public testing::Test, protected BatchEvents {
protected:
    struct Noting final : Task {
        Noting(std::vector<std::string>& into, std::string text)
            : notes(into), name(std::move(text)) {}
        void run() override {
            notes.push_back(name);
            if (then) then();
        }
        void cancel() override { notes.push_back(name + " cancelled"); }

        std::vector<std::string>& notes;
        std::string name;
        std::function<void()> then;
    };
    struct Alarm : Timer {
        explicit Alarm(std::vector<std::string>& into)
            : Timer([](Timer& timer) { static_cast<Alarm&>(timer).notes.push_back("timer"); }),
              notes(into) {}
        std::vector<std::string>& notes;
    };

    void SetUp() override {
        DriverFactory factory([](Loop& sink) {
            auto opened = driver::EpollDriver<Loop>::open(sink, sink.system(), {});
            return driver::Outcome<std::unique_ptr<driver::Driver>>(std::move(*opened));
        });
        ASSERT_TRUE(loop.open(factory));
    }
    void TearDown() override { loop.shut(); }
    void on_batch_end() override {
        notes.emplace_back("batch");
        if (at_batch_end) at_batch_end();
    }
    void step(Deadline until = {}) { ASSERT_TRUE(loop.run_once(until)); }

    std::vector<std::string> notes;
    std::function<void()> at_batch_end;
    Loop loop{driver::kernel_system(), *this};
};

using Notes = std::vector<std::string>;

TEST_F(ALoop, RunsTimersThenTasksThenEndsTheBatch) {
    Noting task(notes, "task");
    Alarm alarm(notes);
    ASSERT_TRUE(loop.post(task));
    loop.timers().arm(alarm, loop.now() - milliseconds{1});
    step();
    EXPECT_EQ(notes, (Notes{"timer", "task", "batch"}));
}

TEST_F(ALoop, RunsTasksInTheOrderOfPosting) {
    Noting first(notes, "1");
    Noting second(notes, "2");
    Noting third(notes, "3");
    for (Noting* task : {&first, &second, &third}) ASSERT_TRUE(loop.post(*task));
    step();
    EXPECT_EQ(notes, (Notes{"1", "2", "3", "batch"}));
}

TEST_F(ALoop, TaskThatIsPostedByATaskWaitsForTheNextIterationWhichDoesNotWait) {
    Noting first(notes, "first");
    Noting second(notes, "second");
    first.then = [&] { ASSERT_TRUE(loop.post(second)); };
    ASSERT_TRUE(loop.post(first));
    step();
    EXPECT_EQ(notes, (Notes{"first", "batch"}));
    step(Deadline::never());
    EXPECT_EQ(notes, (Notes{"first", "batch", "second", "batch"}));
}

TEST_F(ALoop, TaskThatIsPostedAtTheEndOfABatchIsNotSleptOver) {
    Noting task(notes, "task");
    at_batch_end = [&] {
        at_batch_end = nullptr;
        ASSERT_TRUE(loop.post(task));
    };
    step();
    step(Deadline::never());
    EXPECT_EQ(notes, (Notes{"batch", "task", "batch"}));
}

TEST_F(ALoop, TaskMayPostItselfAgain) {
    int left = 3;
    Noting task(notes, "task");
    task.then = [&] {
        if (--left == 0) return;
        EXPECT_TRUE(loop.post(task));
    };
    ASSERT_TRUE(loop.post(task));
    for (int i = 0; i < 3; ++i) step(Deadline::never());
    EXPECT_EQ(left, 0);
}

TEST_F(ALoop, WaitsForATimerAndNoLonger) {
    Alarm alarm(notes);
    const Instant due = loop.now() + milliseconds{5};
    loop.timers().arm(alarm, due);
    while (notes.empty() || notes.front() == "batch") {
        notes.clear();
        step(Deadline::never());
    }
    EXPECT_EQ(notes, (Notes{"timer", "batch"}));
    EXPECT_GE(loop.now(), due);
}

TEST_F(ALoop, DoesNotWaitAfterHurry) {
    loop.hurry();
    step(Deadline::never());
    EXPECT_EQ(notes, (Notes{"batch"}));
}

TEST_F(ALoop, ReturnsAtTheCallersDeadline) {
    const Instant due = loop.system().now() + milliseconds{5};
    step(due);
    EXPECT_GE(loop.now(), due);
}

TEST_F(ALoop, RefusesTasksOnceToldToAndCancelsThoseThatWait) {
    Noting waiting(notes, "waiting");
    Noting late(notes, "late");
    ASSERT_TRUE(loop.post(waiting));
    loop.refuse_tasks();
    EXPECT_FALSE(loop.post(late));
    EXPECT_EQ(notes, (Notes{"waiting cancelled"}));
}

TEST_F(ALoop, TakesTasksOnlyWhileItIsOpen) {
    Noting task(notes, "task");
    Loop never_opened(driver::kernel_system(), *this);
    EXPECT_FALSE(never_opened.post(task));
    loop.shut();
    EXPECT_FALSE(loop.post(task));
    SetUp();
    ASSERT_TRUE(loop.post(task));
    step();
    EXPECT_EQ(notes, (Notes{"task", "batch"}));
}

}  // namespace
}  // namespace berth::loop
