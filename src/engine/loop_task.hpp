// SPDX-License-Identifier: MIT
//
// LoopTask: a callable posted to a loop, in recycled memory.

#pragma once

#include "base/recycler.hpp"
#include "engine/worker.hpp"
#include "loop/task.hpp"

#include <berth/event_loop.hpp>

#include <utility>

namespace berth::engine {

class LoopTask final : public loop::Task {
public:
    static bool send(Worker& worker, UniqueFunction<void(EventLoop&)>&& callable) {
        LoopTask* task = base::Recycler<LoopTask>::take();
        task->worker_ = &worker;
        task->callable_ = std::move(callable);
        if (worker.loop().post(*task)) return true;
        callable = std::move(task->callable_);
        task->give_back();
        return false;
    }

    void run() override {
        worker_->table().counters().tasks_run.add();
        worker_->table().guarded_void(net::Callback::task, [this] { callable_(*worker_); });
        give_back();
    }

    void cancel() override {
        worker_->table().counters().tasks_cancelled.add();
        give_back();
    }

private:
    void give_back() {
        callable_.reset();
        base::Recycler<LoopTask>::give_back(this);
    }

    Worker* worker_ = nullptr;
    UniqueFunction<void(EventLoop&)> callable_;
};

}  // namespace berth::engine
