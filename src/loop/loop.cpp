// SPDX-License-Identifier: MIT
//
// Loop: the iteration, and the hand-shake between sleeping and posting.

#include "loop/loop.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace berth::loop {

Loop::Loop(driver::System& system, BatchEvents& batch)
    : system_(system), batch_(batch), now_(system.now()), timers_(now_) {
    static_cast<void>(tasks_.close());  // until it is open
}

Loop::~Loop() = default;

driver::Outcome<void> Loop::open(DriverFactory& factory) {
    auto opened = factory(*this);
    if (!opened) return base::failed(opened.errno_value());
    driver_ = std::move(*opened);
    now_ = system_.now();
    tasks_.reopen();
    return {};
}

// A producer that found the loop asleep may still be on its way to wake it.
void Loop::shut() {
    refuse_tasks();
    asleep_.store(false, std::memory_order_seq_cst);
    while (wakers_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
    driver_.reset();
}

driver::Outcome<void> Loop::iterate(Deadline deadline) {
    claim_thread();
    auto polled = driver_->poll(deadline);
    if (!polled) return polled;
    timers_.advance(now_);
    if (!tasks_.empty()) run_tasks();
    batch_.on_batch_end();
    return {};
}

// A producer pushes, then looks at asleep_; the loop sets asleep_, then looks at the queue. Both
// in the one total order of seq_cst operations, so at least one of them sees the other, and the
// exchange in post() lets one producer per sleep pay for the wake-up.
Deadline Loop::prepare_wait(Deadline until) {
    if (std::exchange(hurried_, false)) return Deadline{};
    const Deadline deadline = std::min(until, timers_.next());
    if (deadline <= now_) return Deadline{};
    asleep_.store(true, std::memory_order_seq_cst);
    if (tasks_.empty()) return deadline;
    asleep_.store(false, std::memory_order_relaxed);
    return Deadline{};
}

bool Loop::post(Task& task) {
    if (tasks_.push(task) == base::Pushed::refused) return false;
    if (!asleep_.load(std::memory_order_seq_cst)) return true;
    wakers_.fetch_add(1, std::memory_order_seq_cst);
    if (asleep_.exchange(false, std::memory_order_seq_cst)) driver_->wake();
    wakers_.fetch_sub(1, std::memory_order_release);
    return true;
}

void Loop::run_tasks() {
    for (Task* task = tasks_.take_all(); task != nullptr;) {
        std::exchange(task, task->next)->run();
    }
}

void Loop::refuse_tasks() {
    for (Task* task = tasks_.close(); task != nullptr;) {
        std::exchange(task, task->next)->cancel();
    }
}

}  // namespace berth::loop
