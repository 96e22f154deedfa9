// SPDX-License-Identifier: MIT
//
// ByteQueue: bytes, first in first out, always seen as one contiguous view.
//
// Storage starts at 1 KiB and doubles. When at least half of what is stored has been consumed,
// the rest moves to the front instead: each byte is moved at most once per byte consumed. Consumed
// bytes stay in place until the next append or trim, so that a view of them can outlive their
// consumption. A trimmed empty queue owns no memory: an idle connection costs these 24 bytes.
//
// Lifetime:  owns its storage; a view is good until the next append or trim.
// Threads:   one.
// Limits:    2 GiB (asserted); its owner has a bound of its own, far below.

#pragma once

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace berth::base {

class ByteQueue {
public:
    static constexpr std::size_t kStorageMin = 1024;

    ByteQueue() = default;
    ByteQueue(const ByteQueue&) = delete;
    ByteQueue& operator=(const ByteQueue&) = delete;

    // Copies `bytes`, which must not be part of this queue.
    void append(Bytes bytes);
    // Drops the first `count` bytes, at most size().
    void consume(std::size_t count);
    // Gives the storage back if the queue is empty.
    void trim();

    Bytes view() const { return {storage_.get() + begin_, size()}; }
    std::size_t size() const { return end_ - begin_; }
    bool empty() const { return begin_ == end_; }
    std::size_t capacity() const { return capacity_; }

private:
    void make_room(std::size_t count);
    void compact();
    void grow(std::size_t size_needed);

    std::unique_ptr<std::byte[]> storage_;
    std::uint32_t begin_ = 0;
    std::uint32_t end_ = 0;
    std::uint32_t capacity_ = 0;
};

static_assert(sizeof(ByteQueue) <= 24, "every connection has one");

}  // namespace berth::base
