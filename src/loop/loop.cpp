// SPDX-License-Identifier: MIT
//
// Loop: the iteration, and the hand-shake between sleeping and posting.

#include "loop/loop.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace berth::loop {

Loop::Loop(driver::System& system, BatchEvents& batch)
    : system_(system), batch_(batch), now_(system.now().since_epoch.count()), timers_(now()) {
    static_cast<void>(tasks_.close());  // until it is open
}

Loop::~Loop() = default;

driver::Outcome<void> Loop::open(DriverFactory& factory) {
    auto opened = factory(*this);
    if (!opened) return base::failed(opened.errno_value());
    driver_ = std::move(*opened);
    claim_thread();
    set_now(system_.now());
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

// ── Waiting ──────────────────────────────────────────────────────────────────────────────────

void Loop::set_busy_poll(Duration bound) {
    busy_poll_.set_bound(bound);
    odd_ = (odd_ & kHurried) | (busy_poll_.is_on() ? unsigned{kPollsBusily} : 0U);
}

[[gnu::noinline]] Deadline Loop::prepare_odd_wait(Deadline deadline) {
    const bool is_hurried = (odd_ & kHurried) != 0;
    odd_ &= ~unsigned{kHurried};
    if (is_hurried || deadline <= now()) return Deadline{};
    if ((odd_ & kPollsBusily) != 0 && looks_again()) return Deadline{};
    return fall_asleep(deadline);
}

// While it looks it is not asleep: who posts a task wakes nobody, and the next look finds it.
bool Loop::looks_again() {
    if (std::exchange(came_, 0) == 0) return busy_poll_.looks_again(now());
    busy_poll_.end_wait(now());
    const Instant idle_since = system_.now();
    busy_poll_.begin_wait(idle_since);
    return busy_poll_.looks_again(idle_since);
}

// ── Tasks ────────────────────────────────────────────────────────────────────────────────────

bool Loop::post(Task& task) {
    if (tasks_.push(task) == base::Pushed::refused) return false;
    if (!asleep_.load(std::memory_order_seq_cst)) return true;
    wakers_.fetch_add(1, std::memory_order_seq_cst);
    if (asleep_.exchange(false, std::memory_order_seq_cst)) driver_->wake();
    wakers_.fetch_sub(1, std::memory_order_release);
    return true;
}

void Loop::run_tasks() {
    ++came_;
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
