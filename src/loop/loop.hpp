// SPDX-License-Identifier: MIT
//
// Loop: one thread's engine room: a driver, a clock, timers and a queue of tasks.
//
// It does not own its thread: someone calls run_once again and again, a worker thread or a
// simulation. One iteration, in order:
//
//     1  wait for events, until the next timer or the caller's deadline, or not at all
//     2  deliver completions (the loop is the driver's sink)
//     3  fire timers that are due
//     4  run the tasks that were posted before this point
//     5  end of batch: flush what was written outside a turn
//
// Lifetime:  everything registered with it must be closed and reaped before it is destroyed.
// Threads:   the thread that calls run_once; post() and wake() from any.

#pragma once

#include "base/stack_queue.hpp"
#include "driver/driver.hpp"
#include "driver/system.hpp"
#include "loop/busy_poll.hpp"
#include "loop/events.hpp"
#include "loop/task.hpp"
#include "loop/timer_wheel.hpp"

#include <berth/function.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

namespace berth::loop {

class Loop;

// Opens a driver whose sink is the given loop; a simulation brings its own.
using DriverFactory = UniqueFunction<driver::Outcome<std::unique_ptr<driver::Driver>>(Loop& sink)>;

class Loop {
public:
    Loop(driver::System& system, BatchEvents& batch);
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop();

    // How long it may look for events before it sleeps; 0: not at all. Before open().
    void set_busy_poll(Duration bound);
    // Begins a run: opens the driver and takes tasks.
    driver::Outcome<void> open(DriverFactory& factory);
    // Ends it, after the last run_once: closes the driver.
    void shut();

    // One iteration. Waits no longer than `until`. Fails only when the driver is broken.
    driver::Outcome<void> run_once(Deadline until) { return iterate(prepare_wait(until)); }
    // The same for a caller who may not wait, in two steps. Between them the loop counts as
    // asleep: until when prepare_wait says, unless the driver has something or was woken.
    Deadline prepare_wait(Deadline until);
    driver::Outcome<void> iterate(Deadline deadline);

    // Of this iteration.
    Instant now() const { return {Duration(now_.load(std::memory_order_relaxed))}; }
    void hurry() { odd_ |= kHurried; }  // the next iteration does not wait
    driver::Driver& driver() { return *driver_; }
    driver::System& system() { return system_; }
    TimerWheel& timers() { return timers_; }

    // The calls of connections and timers are for one thread: that which calls run_once. Who opens
    // the loop is expected to be it, until another claims it.
    bool is_on_its_thread() const { return thread_ == std::this_thread::get_id(); }
    void claim_thread() { thread_ = std::this_thread::get_id(); }

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    // In order of posting. False: the loop takes no tasks now, and `task` is still the caller's.
    bool post(Task& task);
    // When the iteration under way began; nothing while it sleeps. For a moment after a wake-up
    // it is still the time of the iteration before: who judges by it looks twice.
    std::optional<Instant> busy_since() const {
        if (asleep_.load(std::memory_order_relaxed)) return {};
        return now();
    }

    // ── The end ──────────────────────────────────────────────────────────────────────────────
    // Refuses tasks from now on, and cancels those that wait.
    void refuse_tasks();

    // ── Sink: called by the driver from inside poll ──────────────────────────────────────────
    void on_awake(std::size_t events) {
        asleep_.store(false, std::memory_order_relaxed);
        came_ += events;
        set_now(system_.now());
    }
    void on_accepted(driver::Listener& listener, driver::Descriptor accepted,
                     const IpEndpoint& peer) {
        static_cast<ListenerEvents&>(listener).on_accepted(accepted, peer);
    }
    void on_accept_error(driver::Listener& listener, int errno_value) {
        static_cast<ListenerEvents&>(listener).on_accept_error(errno_value);
    }
    void on_accept_end(driver::Listener& listener, int errno_value) {
        static_cast<ListenerEvents&>(listener).on_accept_end(errno_value);
    }
    void on_connected(driver::Stream& stream, int errno_value) {
        static_cast<StreamEvents&>(stream).on_connected(errno_value);
    }
    void on_received(driver::Stream& stream, Bytes bytes) {
        static_cast<StreamEvents&>(stream).on_received(bytes);
    }
    void on_receive_end(driver::Stream& stream, int errno_value) {
        static_cast<StreamEvents&>(stream).on_receive_end(errno_value);
    }
    void on_sent(driver::Stream& stream, driver::Sent sent) {
        static_cast<StreamEvents&>(stream).on_sent(sent);
    }
    void on_unsent(driver::Stream& stream, driver::Slices slices, int errno_value) {
        static_cast<StreamEvents&>(stream).on_unsent(slices, errno_value);
    }
    void on_closed(driver::Stream& stream) { static_cast<StreamEvents&>(stream).on_closed(); }
    void on_datagrams(driver::DatagramSocket& socket, driver::ReceivedDatagrams datagrams) {
        static_cast<DatagramEvents&>(socket).on_datagrams(datagrams);
    }
    void on_datagram_error(driver::DatagramSocket& socket, int errno_value) {
        static_cast<DatagramEvents&>(socket).on_datagram_error(errno_value);
    }
    void on_datagrams_end(driver::DatagramSocket& socket) {
        static_cast<DatagramEvents&>(socket).on_datagrams_end();
    }
    void on_ready(driver::Watched& watched, driver::Ready ready) {
        static_cast<WatchEvents&>(watched).on_ready(ready);
    }
    void on_watch_end(driver::Watched& watched) {
        static_cast<WatchEvents&>(watched).on_watch_end();
    }

private:
    // Bits of odd_: why a wait is prepared off the hot path.
    enum Odd : unsigned {
        kHurried = 1,
        kPollsBusily = 2,
    };

    void run_tasks();
    Deadline prepare_odd_wait(Deadline deadline);
    bool looks_again();
    Deadline fall_asleep(Deadline deadline);
    void set_now(Instant at) { now_.store(at.since_epoch.count(), std::memory_order_relaxed); }

    driver::System& system_;
    BatchEvents& batch_;
    std::unique_ptr<driver::Driver> driver_;
    std::atomic<std::int64_t> now_;  // nanoseconds; others read it, to see whether it comes round
    TimerWheel timers_;
    unsigned odd_ = 0;
    std::size_t came_ = 0;  // events and tasks, since busy polling looked last
    BusyPoll busy_poll_;
    std::thread::id thread_;

    // Written by other threads: on cache lines of their own.
    alignas(64) base::StackQueue<Task> tasks_;
    alignas(64) std::atomic<bool> asleep_{false};  // a producer that clears it owes a wake-up
    std::atomic<unsigned> wakers_{0};              // producers that may be inside driver_->wake()
};

// ── The iteration ────────────────────────────────────────────────────────────────────────────

inline driver::Outcome<void> Loop::iterate(Deadline deadline) {
    auto polled = driver_->poll(deadline);
    if (!polled) [[unlikely]]
        return polled;
    timers_.advance(now());
    if (!tasks_.empty()) [[unlikely]]
        run_tasks();
    batch_.on_batch_end();
    return polled;
}

// A producer pushes, then looks at asleep_; the loop sets asleep_, then looks at the queue. Both
// in the one total order of seq_cst operations, so at least one of them sees the other, and the
// exchange in post() lets one producer per sleep pay for the wake-up.
inline Deadline Loop::prepare_wait(Deadline until) {
    const Deadline deadline = std::min(until, timers_.next());
    if (odd_ != 0 || deadline <= now()) [[unlikely]]
        return prepare_odd_wait(deadline);
    return fall_asleep(deadline);
}

inline Deadline Loop::fall_asleep(Deadline deadline) {
    asleep_.store(true, std::memory_order_seq_cst);
    if (tasks_.empty()) [[likely]]
        return deadline;
    asleep_.store(false, std::memory_order_relaxed);
    return Deadline{};
}

}  // namespace berth::loop
