// SPDX-License-Identifier: MIT
//
// ByteQueue: when the storage grows, when its bytes move, and when it goes.

#include "base/byte_queue.hpp"

#include "base/assert.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace berth::base {

namespace {

constexpr std::size_t kStorageMax = std::size_t{1} << 31U;

}  // namespace

ByteQueue::StoragePointer ByteQueue::make_storage(std::size_t capacity) {
    BERTH_ASSERT(capacity <= kStorageMax, "a byte queue has at most 2 GiB");
    void* const memory = ::operator new(sizeof(Storage) + capacity);
    return StoragePointer(::new (memory) Storage{.capacity = static_cast<std::uint32_t>(capacity)});
}

void ByteQueue::append(Bytes bytes) {
    if (bytes.empty()) return;
    make_room(bytes.size());
    std::memcpy(storage_->bytes() + storage_->end, bytes.data(), bytes.size());
    storage_->end += static_cast<std::uint32_t>(bytes.size());
}

void ByteQueue::consume(std::size_t count) {
    BERTH_ASSERT(count <= size(), "only bytes that are there are consumed");
    if (count > 0) storage_->begin += static_cast<std::uint32_t>(count);
}

void ByteQueue::trim() {
    if (empty()) storage_.reset();
}

void ByteQueue::make_room(std::size_t count) {
    if (storage_ == nullptr) return grow(count);
    if (storage_->capacity - storage_->end >= count) return;
    if (storage_->begin >= size() && storage_->capacity - size() >= count) return compact();
    grow(size() + count);
}

void ByteQueue::compact() {
    const auto kept = static_cast<std::uint32_t>(size());
    std::memmove(storage_->bytes(), storage_->bytes() + storage_->begin, kept);
    storage_->begin = 0;
    storage_->end = kept;
}

void ByteQueue::grow(std::size_t size_needed) {
    StoragePointer storage =
        make_storage(std::max({kStorageMin, capacity() * 2, std::bit_ceil(size_needed)}));
    const Bytes kept = view();
    std::ranges::copy(kept, storage->bytes());
    storage->end = static_cast<std::uint32_t>(kept.size());
    storage_ = std::move(storage);
}

}  // namespace berth::base
