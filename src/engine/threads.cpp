// SPDX-License-Identifier: MIT
//
// Threads: starting, holding back, joining, abandoning.

#include "engine/threads.hpp"

#include <system_error>
#include <utility>

namespace berth::engine {

Result<Thread> Thread::start(UniqueFunction<void()> body) {
    try {
        Thread started;
        started.thread_ = std::thread([body = std::move(body)]() mutable { body(); });
        return started;
    } catch (const std::system_error& error) {
        return fail(Error::from_errno("pthread_create", error.code().value())
                        .fix("raise the limit on threads (ulimit -u, TasksMax), or use fewer "
                             "loops"));
    }
}

Thread& Thread::operator=(Thread&& other) noexcept {
    join();
    thread_ = std::move(other.thread_);
    return *this;
}

Thread::~Thread() { join(); }

void Thread::join() {
    if (thread_.joinable()) thread_.join();
}

void Thread::abandon() {
    if (thread_.joinable()) thread_.detach();
}

bool Gate::wait() const {
    state_.wait(State::shut);
    return state_.load() == State::open;
}

void Gate::decide(State state) {
    state_.store(state);
    state_.notify_all();
}

}  // namespace berth::engine
