// SPDX-License-Identifier: MIT
//
// Threads: the one place where berth makes any.

#pragma once

#include <berth/function.hpp>
#include <berth/result.hpp>

#include <atomic>
#include <cstdint>
#include <thread>

namespace berth::engine {

// A thread that is waited for when it goes out of scope, unless it was abandoned.
class Thread {
public:
    Thread() = default;
    Thread(Thread&&) = default;
    Thread& operator=(Thread&& other) noexcept;
    ~Thread();

    // EAGAIN: a limit on threads, pthread_create(3).
    static Result<Thread> start(UniqueFunction<void()> body);
    void join();
    // Its end is no longer waited for: a handler that would not return has it.
    void abandon();

private:
    std::thread thread_;
};

// Holds back threads that were made before it was known whether they are needed.
class Gate {
public:
    void reset() { state_.store(State::shut); }
    void open() { decide(State::open); }
    void cancel() { decide(State::cancelled); }
    // Waits for one of the two: should the thread go on?
    bool wait() const;

private:
    enum class State : std::uint8_t { shut, open, cancelled };
    void decide(State state);
    std::atomic<State> state_{State::shut};
};

}  // namespace berth::engine
