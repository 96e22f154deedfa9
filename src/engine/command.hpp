// SPDX-License-Identifier: MIT
//
// Command: a task of the coordinator for one worker, in memory that the worker reserved.
//
// It may be given again while it is on its way: then it is obeyed once, and what it reads when it
// runs is the latest.

#pragma once

#include "loop/task.hpp"

#include <atomic>

namespace berth::engine {

class Worker;

class Command final : public loop::Task {
public:
    using Method = void (Worker::*)();

    Command(Worker& worker, Method method) : worker_(worker), method_(method) {}

    // False: it is on its way already.
    bool claim() { return !is_posted_.exchange(true); }

    void run() override {
        is_posted_.store(false);
        (worker_.*method_)();
    }
    void cancel() override { is_posted_.store(false); }  // the worker has left

private:
    std::atomic<bool> is_posted_{false};
    Worker& worker_;
    Method method_;
};

}  // namespace berth::engine
