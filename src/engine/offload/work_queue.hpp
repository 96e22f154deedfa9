// SPDX-License-Identifier: MIT
//
// PointerQueue: pointers from many threads to many, with waiting.
//
// moodycamel's queue, kept out of every other file.
//
// Lifetime:  owns nothing of what the pointers point to.
// Threads:   any. What a thread wrote before push is not made visible by it: see Job::seal.

#pragma once

#include <memory>

namespace berth::engine::offload {

class PointerQueue {
public:
    PointerQueue();
    ~PointerQueue();

    // First in first out for what one thread pushes. False: there is no memory.
    [[nodiscard]] bool push(void* pointer);
    void* pop();      // waits
    void* pop_now();  // null: there is none

private:
    struct Queue;
    std::unique_ptr<Queue> queue_;
};

// Of one kind of object.
template <class T>
class WorkQueue {
public:
    [[nodiscard]] bool push(T* object) { return queue_.push(object); }
    T* pop() { return static_cast<T*>(queue_.pop()); }
    T* pop_now() { return static_cast<T*>(queue_.pop_now()); }

private:
    PointerQueue queue_;
};

}  // namespace berth::engine::offload
