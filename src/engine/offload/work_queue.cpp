// SPDX-License-Identifier: MIT
//
// PointerQueue, by moodycamel::BlockingConcurrentQueue.

#include "engine/offload/work_queue.hpp"

#include <concurrentqueue/blockingconcurrentqueue.h>

#include <atomic>

namespace berth::engine::offload {

struct PointerQueue::Queue {
    // The queue orders its elements by fences, which ThreadSanitizer does not see: it would take
    // each reuse of a place for a race. Read and written atomically, a place is none.
    class Place {
    public:
        Place() = default;  // what is there is not read before something was put there
        explicit Place(void* pointer) { set(pointer); }
        Place(const Place& other) { set(other.get()); }
        Place& operator=(const Place& other) {
            if (this != &other) set(other.get());
            return *this;
        }
        ~Place() = default;

        void* get() const {
            return std::atomic_ref<void*>(pointer_).load(std::memory_order_relaxed);
        }

    private:
        void set(void* pointer) {
            std::atomic_ref<void*>(pointer_).store(pointer, std::memory_order_relaxed);
        }

        mutable void* pointer_;
    };

    moodycamel::BlockingConcurrentQueue<Place> places;
};

PointerQueue::PointerQueue() : queue_(std::make_unique<Queue>()) {}

PointerQueue::~PointerQueue() = default;

bool PointerQueue::push(void* pointer) { return queue_->places.enqueue(Queue::Place(pointer)); }

void* PointerQueue::pop() {
    Queue::Place place;
    queue_->places.wait_dequeue(place);
    return place.get();
}

void* PointerQueue::pop_now() {
    Queue::Place place;
    return queue_->places.try_dequeue(place) ? place.get() : nullptr;
}

}  // namespace berth::engine::offload
