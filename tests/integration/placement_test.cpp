// SPDX-License-Identifier: MIT
//
// Where loops run and what they are called; and whose log they write to.

#include "integration/support_engine.hpp"

#include <pthread.h>
#include <sched.h>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace berth::test {
namespace {

class LoopPlacement : public AnEngine {
protected:
    std::string name_of_loop(std::size_t index) {
        std::array<char, 16> name{};
        on_loop(
            [&](EventLoop&) {
                EXPECT_EQ(::pthread_getname_np(::pthread_self(), name.data(), name.size()), 0);
            },
            index);
        return name.data();
    }
    std::vector<int> cpus_of_loop(std::size_t index) {
        std::vector<int> cpus;
        on_loop([&](EventLoop&) { cpus = allowed_here(); }, index);
        return cpus;
    }
    static std::vector<int> allowed_here() {
        cpu_set_t set;
        EXPECT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
        std::vector<int> cpus;
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
        }
        return cpus;
    }
};

TEST_P(LoopPlacement, LoopsAreNamedByTheirNumber) {
    options.loops = 2;
    start();
    EXPECT_EQ(name_of_loop(0), "berth-0");
    EXPECT_EQ(name_of_loop(1), "berth-1");
}

TEST_P(LoopPlacement, NameIsCutToWhatTheKernelTakes) {
    options.thread_name = "a-name-that-is-too-long";
    start();
    EXPECT_EQ(name_of_loop(0), "a-name-that-i-0");
}

TEST_P(LoopPlacement, EmptyNameLeavesTheThreadsTheirs) {
    options.thread_name = "";
    start();
    EXPECT_EQ(name_of_loop(0).find("berth-"), std::string::npos);
}

TEST_P(LoopPlacement, LoopsMayRunAnywhereByDefault) {
    start();
    EXPECT_EQ(cpus_of_loop(0), allowed_here());
}

TEST_P(LoopPlacement, PinnedLoopsHaveOneCpuEachInTurn) {
    const std::vector<int> allowed = allowed_here();
    options.loops = 3;
    options.pin_loops = true;
    start();
    for (std::size_t loop = 0; loop < 3; ++loop) {
        EXPECT_EQ(cpus_of_loop(loop), std::vector{allowed[loop % allowed.size()]});
    }
    EXPECT_EQ(allowed_here(), allowed) << "the threads of others are left alone";
}

TEST_P(LoopPlacement, EnginesOfOneProcessNeverShareALog) {
    Journal others_journal;
    Script others_script;
    Options others;
    others.loops = 1;
    others.driver = options.driver;
    others.logger = &others_journal;
    others_script.loop_start = [](EventLoop&) { throw std::runtime_error("theirs"); };
    script.loop_start = [](EventLoop&) { throw std::runtime_error("ours"); };
    start();
    Engine other(others_script, others);
    ASSERT_TRUE(other.start("tcp://127.0.0.1:0"));
    EXPECT_TRUE(eventually([&] {
        return journal.has(LogLevel::error, "ours") &&
               others_journal.has(LogLevel::error, "theirs");
    }));
    ASSERT_TRUE(other.stop());
    stop();
    EXPECT_FALSE(journal.has(LogLevel::error, "theirs"));
    EXPECT_FALSE(others_journal.has(LogLevel::error, "ours"));
    EXPECT_TRUE(others_journal.has(LogLevel::info, "ready"));
}

BERTH_FOR_EACH_DRIVER(LoopPlacement);

}  // namespace
}  // namespace berth::test
