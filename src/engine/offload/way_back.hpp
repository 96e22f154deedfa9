// SPDX-License-Identifier: MIT
//
// WayBack: the way to a loop, for what may come back after the loop's engine is gone.
//
// A pool outlives engines: berth::run returns, and its engine with it, while work that a stop
// would not wait for still runs. What comes back then finds the way shut.
//
// Lifetime:  shared by the loop's JobBook and by everything that is out.
// Threads:   post() from any; shut() once, by the owner of the loop.

#pragma once

#include "base/reader_gate.hpp"
#include "engine/worker.hpp"
#include "loop/task.hpp"

#include <memory>

namespace berth::engine::offload {

class WayBack {
public:
    explicit WayBack(Worker& worker) : worker_(worker) { gate_.open(); }

    // False: the loop takes nothing any more, and `task` is still the caller's. By value: the
    // task, and a share that it holds, may be gone before this returns.
    // NOLINTNEXTLINE(performance-unnecessary-value-param): see above
    static bool post(std::shared_ptr<WayBack> way, loop::Task& task) {
        const base::ReaderGate::Visit visit(way->gate_);
        return visit.is_inside() && way->worker_.loop().post(task);
    }
    void shut() { gate_.shut(); }

    Worker& worker() { return worker_; }  // on its loop's thread

private:
    Worker& worker_;
    base::ReaderGate gate_;
};

}  // namespace berth::engine::offload
