// SPDX-License-Identifier: MIT
//
// Command: a task of the coordinator for one worker, in memory that the worker reserved.

#pragma once

#include "loop/task.hpp"

namespace berth::engine {

class Worker;

class Command final : public loop::Task {
public:
    using Method = void (Worker::*)();

    Command(Worker& worker, Method method) : worker_(worker), method_(method) {}

    void run() override { (worker_.*method_)(); }
    void cancel() override {}  // the worker has left: there is nothing to command

private:
    Worker& worker_;
    Method method_;
};

}  // namespace berth::engine
