// SPDX-License-Identifier: MIT
//
// OutputQueue: what a connection owes its peer and the kernel has not yet taken.
//
// A chain of segments: chunks that small writes are copied into, and Buffers that were moved in
// or shared. Nothing in it moves until it is consumed, because the driver may be looking at it.
// A connection has one only while its peer does not keep up, or between a write from outside
// its turn and the end of the batch; queues, segments and chunks come from a pool of the loop.
//
// Lifetime:  the pool outlives its queues.
// Threads:   the loop's.

#pragma once

#include "driver/driver.hpp"
#include "net/write_waiter.hpp"

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace berth::net {

inline constexpr std::size_t kChunkBytes = 4096;
// Slices of a send that is tried at once, and of one that waits for the peer and is kept in the
// queue meanwhile. The kernel would take 1024 (IOV_MAX); the gain is gone long before.
inline constexpr std::size_t kSlicesPerSend = 64;
inline constexpr std::size_t kSlicesPinned = 16;

class OutputPool;

class OutputQueue {
public:
    OutputQueue(const OutputQueue&) = delete;
    OutputQueue& operator=(const OutputQueue&) = delete;
    ~OutputQueue() { consume(bytes_); }

    void append_copy(Bytes bytes);
    void append(Buffer&& buffer);
    void prepend_copy(Bytes bytes);  // allocates; pin() again

    bool empty() const { return bytes_ == 0; }
    std::size_t bytes() const { return bytes_; }

    // The front as slices, as many as `room` has. Good until the next consume.
    driver::Slices front(std::span<Bytes> room) const;
    // What follows the first `offset` bytes, as far as it lies in one piece; empty at the end.
    Bytes from(std::size_t offset) const;
    // The same in memory that stays in place until the next consume.
    const driver::Slices& pin() { return pinned_ = front(slices_); }
    void consume(std::size_t count);

    // Those who wait for bytes in this queue to be taken, in the order of the bytes.
    WriteWaiters& waiters() { return waiters_; }

private:
    friend class OutputPool;
    struct Segment {
        Segment* next = nullptr;
        std::unique_ptr<std::byte[]> chunk;  // or
        Buffer buffer;
        std::size_t begin = 0;  // of chunk
        std::size_t end = 0;

        Bytes view() const {
            return chunk ? Bytes(chunk.get() + begin, end - begin) : buffer.bytes();
        }
        void remove_prefix(std::size_t count);
    };

    explicit OutputQueue(OutputPool& pool) : pool_(&pool) {}
    Segment& add_segment();
    void drop_front();

    OutputPool* pool_;
    Segment* first_ = nullptr;
    Segment* last_ = nullptr;
    std::size_t bytes_ = 0;
    WriteWaiters waiters_;
    driver::Slices pinned_;
    std::array<Bytes, kSlicesPinned> slices_;
};

// Keeps what queues no longer need, up to a bound, so that steady traffic allocates nothing.
class OutputPool {
public:
    OutputPool() = default;
    OutputPool(const OutputPool&) = delete;
    OutputPool& operator=(const OutputPool&) = delete;

    std::unique_ptr<OutputQueue> take_queue();
    void give_back(std::unique_ptr<OutputQueue> queue);

private:
    friend class OutputQueue;
    static constexpr std::size_t kKept = 256;  // of each kind: 1 MiB of chunks at most

    std::unique_ptr<OutputQueue::Segment> take_segment();
    std::unique_ptr<std::byte[]> take_chunk();
    void give_back_segment(OutputQueue::Segment* segment);

    std::vector<std::unique_ptr<OutputQueue>> queues_;
    std::vector<std::unique_ptr<OutputQueue::Segment>> segments_;
    std::vector<std::unique_ptr<std::byte[]>> chunks_;
};

}  // namespace berth::net
