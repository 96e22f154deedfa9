// SPDX-License-Identifier: MIT
//
// StackQueue<T>: many threads push, one takes everything, first in first out.
//
// Pushing is Treiber's stack; the consumer takes the whole stack by one exchange and reverses
// it. Vyukov's queue has a state between its two stores in which a pushed node is not reachable
// yet: its consumer must spin or be woken twice, and "was it empty?" has no exact answer. Here
// one compare-exchange both publishes the node and tells whether the queue was empty, and that
// answer is all that a wake-up needs: only the push onto an empty queue wakes the consumer. No
// node is taken alone, so that a top that went and came back (ABA) is still the right next.
//
// A queue can be closed: from then on nothing is taken in, and what was pushed before comes out
// of close() itself. One word decides, so no node is ever left behind in a closed queue.
//
// T has a member `T* next` that belongs to the queue from push until take_all.
//
// Lifetime:  owns nothing; a node must stay in place until it was taken.
// Threads:   push from any, take_all from one. Nothing is allocated, nobody waits.

#pragma once

#include "base/assert.hpp"

#include <atomic>
#include <cstdint>
#include <utility>

namespace berth::base {

enum class Pushed : std::uint8_t {
    first,  // the queue was empty, and the consumer is to be woken
    behind,
    refused,  // the queue is closed, the node still the caller's
};

template <class T>
class StackQueue {
public:
    StackQueue() = default;
    StackQueue(const StackQueue&) = delete;
    StackQueue& operator=(const StackQueue&) = delete;

    // What the pushing thread wrote before is seen by the consumer; unless it was refused, the
    // node may be gone when push returns.
    [[nodiscard]] Pushed push(T& node) {
        T* top = top_.load(std::memory_order_relaxed);
        do {
            if (top == closed_mark()) return Pushed::refused;
            node.next = top;
        } while (!top_.compare_exchange_weak(top, &node, std::memory_order_seq_cst,
                                             std::memory_order_relaxed));
        return top == nullptr ? Pushed::first : Pushed::behind;
    }

    // False while the consumer must look. Closed counts as empty.
    bool empty() const {
        const T* top = top_.load(std::memory_order_seq_cst);
        if (top == nullptr) [[likely]]
            return true;
        return top == closed_mark();
    }

    // Everything pushed so far, the oldest first, linked by `next`; null when there is nothing.
    T* take_all() {
        BERTH_DEBUG_ASSERT(top_.load(std::memory_order_relaxed) != closed_mark(),
                           "a closed queue is not taken from");
        return oldest_first(top_.exchange(nullptr, std::memory_order_acquire));
    }

    // The last take_all, and the end of pushing; null when closed already.
    T* close() { return oldest_first(top_.exchange(closed_mark(), std::memory_order_acq_rel)); }
    void reopen() { top_.store(nullptr, std::memory_order_release); }

private:
    // An address that no node has.
    T* closed_mark() const { return reinterpret_cast<T*>(const_cast<std::atomic<T*>*>(&top_)); }

    T* oldest_first(T* rest) {
        T* oldest = nullptr;
        while (rest != nullptr && rest != closed_mark()) {
            T* taken = std::exchange(rest, rest->next);
            taken->next = std::exchange(oldest, taken);
        }
        return oldest;
    }

    std::atomic<T*> top_{nullptr};
};

}  // namespace berth::base
