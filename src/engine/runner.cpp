// SPDX-License-Identifier: MIT
//
// Runner: the threads of a run, and the coordinator's loop.

#include "engine/runner.hpp"

#include "os/inherited.hpp"
#include "os/spawn.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <utility>

namespace berth::engine {

namespace {

// The number of the channel that leads to the generation that started this process.
constexpr const char* kMakerVariable = "BERTH_HANDOVER_FD";

void work(Worker& worker) {
    const Core::Presence presence(worker.core());
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
    if (const auto opened = notifier_.open(); !opened) {
        return fail(Error::from_errno("eventfd", opened.errno_value()));
    }
    find_maker();
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

// ── The next generation ──────────────────────────────────────────────────────────────────────

Result<void> Runner::restart(std::span<const std::string> command) {
    const auto failed = [](const char* operation, int errno_value) {
        return fail(Error::from_errno(operation, errno_value).because("no successor was started"));
    };
    if (command.empty()) return failed("restart", EINVAL);
    if (core_.state() != EngineState::ready) {
        return fail(Error(ErrorCode::not_running, "restart")
                        .because("the engine is " + std::string(to_string(core_.state()))));
    }
    handover::Giver& giver = core_.handover().giver();
    if (!giver.reserve()) {
        return fail(Error(ErrorCode::handover_failed, "restart")
                        .because("another generation is taking over"));
    }
    const auto channel = core_.system().message_pair();
    if (!channel) {
        giver.release();
        return failed("socketpair", channel.errno_value());
    }
    const auto [ours, theirs] = *channel;
    const int number = driver::number(theirs);
    const auto spawned =
        os::spawn(command, kMakerVariable + ('=' + std::to_string(number)), number);
    core_.system().close(theirs);
    if (spawned) {
        giver.offer_to(ours);
        return {};
    }
    core_.system().close(ours);
    giver.release();
    return failed("exec", spawned.errno_value());
}

// Were we started by restart()? The variable goes, lest a child of ours believes the same.
void Runner::find_maker() {
    if (!core_.handover().has_maker()) return;
    const std::string text = os::take_variable(kMakerVariable);
    int number = -1;
    std::from_chars(text.data(), text.data() + text.size(), number);
    if (os::kind_of_inherited(number) != os::Inherited::other_socket) return;
    if (!os::make_ours(number)) return;
    core_.handover().connect(driver::Descriptor{number});
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
        if (gate_.wait()) coordinate();
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

Result<void> Runner::run(std::span<const std::string> addresses,
                         std::span<Attendant* const> attendants) {
    attendants_.assign(attendants.begin(), attendants.end());
    // First: on_boot may take its time, and a signal may come meanwhile.
    for (Attendant* attendant : attendants_) attendant->begin(core_.face(), notifier_);
    auto prepared = prepare(addresses, false);
    if (prepared) coordinate();
    for (Attendant* attendant : attendants_) attendant->end(core_.face());
    attendants_.clear();
    return prepared;
}

void Runner::coordinate() {
    const Core::Presence presence(core_);
    Coordinator& coordinator = core_.coordinator();
    for (;;) {
        const Instant wanted = attend();
        const Instant next = std::min(wanted, coordinator.advance());
        if (coordinator.is_done()) break;
        const Duration left = next.is_never() ? kNever : next - core_.system().now();
        notifier_.wait(std::max(left, Duration::zero()), coordinator.watched());
    }
    end_workers();
    core_.dismantle();
    while (const auto again = coordinator.finish()) {
        notifier_.wait(std::max(*again - core_.system().now(), Duration::zero()));
    }
}

Instant Runner::attend() {
    Instant next = Instant::never();
    for (Attendant* attendant : attendants_) {
        next = std::min(next, attendant->attend(core_.face()));
    }
    return next;
}

void Runner::tell_attendants(EngineState from, EngineState to) {
    for (Attendant* attendant : attendants_) attendant->changed(core_.face(), from, to);
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
