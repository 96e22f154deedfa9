// SPDX-License-Identifier: MIT
//
// Recycler<T>: objects made on many threads, given back on others, allocated seldom.
//
// What is given back goes onto one stack; a thread that runs out takes the whole stack for
// itself. Only whole stacks are taken, so there is no ABA and no lock. In steady state as many
// objects exist as were ever in use at once.
//
// T has a member `T* next_free`.
//
// Lifetime:  objects live until the process ends, or until a thread that keeps some does.
// Threads:   any.

#pragma once

#include <atomic>
#include <utility>

namespace berth::base {

template <class T>
class Recycler {
public:
    static T* take() {
        Kept& kept = kept_of_this_thread();
        if (kept.first == nullptr) {
            kept.first = returned.exchange(nullptr, std::memory_order_acquire);
        }
        if (kept.first == nullptr) return new T;
        return std::exchange(kept.first, kept.first->next_free);
    }

    static void give_back(T* object) {
        object->next_free = returned.load(std::memory_order_relaxed);
        while (!returned.compare_exchange_weak(object->next_free, object, std::memory_order_release,
                                               std::memory_order_relaxed)) {
        }
    }

private:
    struct Kept {
        T* first = nullptr;
        ~Kept() {
            while (first != nullptr) give_back(std::exchange(first, first->next_free));
        }
    };
    static Kept& kept_of_this_thread() {
        thread_local Kept kept;
        return kept;
    }

    static inline std::atomic<T*> returned{nullptr};
};

}  // namespace berth::base
