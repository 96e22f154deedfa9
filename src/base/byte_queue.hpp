// SPDX-License-Identifier: MIT
//
// ByteQueue: bytes, first in first out, always seen as one contiguous view.
//
// Storage starts at 1 KiB and doubles. When at least half of what is stored has been consumed,
// the rest moves to the front instead: each byte is moved at most once per byte consumed. Consumed
// bytes stay in place until the next append or trim, so that a view of them can outlive their
// consumption. A trimmed empty queue owns no memory, and what it would have to know about its
// storage lies in front of it: an idle connection pays for one pointer.
//
// Lifetime:  owns its storage; a view is good until the next append or trim.
// Threads:   one.
// Limits:    2 GiB (asserted); its owner has a bound of its own, far below.

#pragma once

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

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

    Bytes view() const {
        return storage_ ? Bytes(storage_->bytes() + storage_->begin, size()) : Bytes();
    }
    std::size_t size() const { return storage_ ? storage_->end - storage_->begin : 0; }
    bool empty() const { return size() == 0; }
    std::size_t capacity() const { return storage_ ? storage_->capacity : 0; }

private:
    // In front of `capacity` bytes, of which those from begin to end are stored.
    struct Storage {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        std::uint32_t capacity = 0;

        std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
    };
    struct Release {
        void operator()(Storage* storage) const { ::operator delete(storage); }
    };
    using StoragePointer = std::unique_ptr<Storage, Release>;

    static StoragePointer make_storage(std::size_t capacity);
    void make_room(std::size_t count);
    void compact();
    void grow(std::size_t size_needed);

    StoragePointer storage_;
};

static_assert(sizeof(ByteQueue) == sizeof(void*), "every connection has one");

}  // namespace berth::base
