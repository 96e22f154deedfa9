// SPDX-License-Identifier: MIT
//
// Runner: the threads of a run, and the coordinator's loop.

#include "engine/runner.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace berth::engine {

namespace {

// What a second signal leaves of the deadline.
constexpr Duration kHurriedDeadline = std::chrono::seconds{1};

void work(Worker& worker) {
    worker.begin();
    while (worker.step(Deadline::never())) {
    }
}

}  // namespace

Runner::~Runner() { join(); }

// Threads are made before on_boot is called, so that a start which fails for want of one has
// called nobody; they wait at the gate.
Result<void> Runner::prepare(std::span<const std::string> addresses, bool own_thread) {
    if (!is_running(core_.state())) join();
    if (auto opened = core_.open(addresses); !opened) return opened;
    gate_.reset();
    if (auto made = make_threads(own_thread); !made) {
        cancel_threads();
        return fail(core_.undo(std::move(made.error())));
    }
    if (auto booted = core_.boot(); !booted) {
        cancel_threads();
        return booted;
    }
    gate_.open();
    return {};
}

Result<void> Runner::make_threads(bool own_thread) {
    for (std::size_t i = 0; i < core_.worker_count(); ++i) {
        Worker& worker = core_.worker(i);
        auto thread = Thread::start([this, &worker] {
            if (gate_.wait()) work(worker);
        });
        if (!thread) return fail(std::move(thread.error()));
        workers_.push_back(std::move(*thread));
    }
    if (!own_thread) return {};
    auto thread = Thread::start([this] {
        if (gate_.wait()) coordinate(nullptr);
    });
    if (!thread) return fail(std::move(thread.error()));
    coordinator_ = std::move(*thread);
    return {};
}

void Runner::cancel_threads() {
    gate_.cancel();
    workers_.clear();
    join();
}

Result<void> Runner::start(std::span<const std::string> addresses) {
    return prepare(addresses, true);
}

Result<void> Runner::run(std::span<const std::string> addresses) {
    auto signals = os::SignalWatch::start(notifier_);  // first: on_boot may take its time
    auto prepared = prepare(addresses, false);
    if (!prepared) return prepared;
    if (!signals) {
        core_.log(LogLevel::warning,
                  "signals are not watched: another engine of this process does that");
    }
    signals_seen_ = 0;
    coordinate(signals ? signals->get() : nullptr);
    return {};
}

void Runner::coordinate(const os::SignalWatch* signals) {
    const Core::Presence presence(core_);
    Coordinator& coordinator = core_.coordinator();
    for (;;) {
        if (signals != nullptr) obey(*signals);
        const Instant next = coordinator.advance();
        if (coordinator.is_done()) break;
        const Duration left = next.is_never() ? kNever : next - core_.system().now();
        notifier_.wait(std::max(left, Duration::zero()));
    }
    end_workers();
    core_.dismantle();
    coordinator.finish();
}

// The first signal stops, the second leaves a second, the third nothing.
void Runner::obey(const os::SignalWatch& signals) {
    unsigned seen = 0;
    int latest = 0;
    for (const int signal : os::SignalWatch::kSignals) {
        const unsigned count = signals.count(signal);
        seen += count;
        if (count > 0) latest = signal;
    }
    if (seen == signals_seen_) return;
    signals_seen_ = seen;
    const StopSource source(StopSource::Kind::signal, latest);
    if (seen == 1) return core_.request_stop(source);
    const Instant now = core_.system().now();
    core_.request_stop(source, seen == 2 ? now + kHurriedDeadline : now);
}

void Runner::end_workers() {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (core_.worker(i).has_left()) {
            workers_[i].join();
        } else {
            workers_[i].abandon();
        }
    }
    workers_.clear();
}

}  // namespace berth::engine
