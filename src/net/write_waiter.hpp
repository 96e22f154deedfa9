// SPDX-License-Identifier: MIT
//
// WriteWaiter: someone who wants to know when the kernel has taken a certain byte.
//
// Lifetime:  from the moment it waits until finished() it belongs to the connection table, and
//            finished() is called exactly once, at the end of a batch, never from a user's call.

#pragma once

#include <berth/engine.hpp>

#include <cstdint>

namespace berth::net {

class WriteWaiter {
public:
    virtual void finished(Delivery delivery) = 0;

    WriteWaiter* next_waiter = nullptr;
    std::uint64_t position = 0;  // finished when this many bytes of the stream were sent
    Delivery delivery = Delivery::stale;

protected:
    ~WriteWaiter() = default;
};

// First in, first out.
class WriteWaiters {
public:
    bool empty() const { return first_ == nullptr; }
    const WriteWaiter& front() const { return *first_; }
    void push(WriteWaiter& waiter) {
        waiter.next_waiter = nullptr;
        *last_ = &waiter;
        last_ = &waiter.next_waiter;
    }
    WriteWaiter* pop() {
        WriteWaiter* waiter = first_;
        if (waiter == nullptr) return nullptr;
        first_ = waiter->next_waiter;
        if (first_ == nullptr) last_ = &first_;
        return waiter;
    }

    void take(WriteWaiters& other) {
        while (WriteWaiter* waiter = other.pop()) push(*waiter);
    }

    WriteWaiters() = default;
    WriteWaiters(const WriteWaiters&) = delete;
    WriteWaiters& operator=(const WriteWaiters&) = delete;

private:
    WriteWaiter* first_ = nullptr;
    WriteWaiter** last_ = &first_;
};

}  // namespace berth::net
