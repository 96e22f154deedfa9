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
#include <utility>

namespace berth::base {

namespace {

constexpr std::size_t kStorageMax = std::size_t{1} << 31U;

}  // namespace

void ByteQueue::append(Bytes bytes) {
    if (bytes.empty()) return;
    make_room(bytes.size());
    std::memcpy(storage_.get() + end_, bytes.data(), bytes.size());
    end_ += static_cast<std::uint32_t>(bytes.size());
}

void ByteQueue::consume(std::size_t count) {
    BERTH_ASSERT(count <= size(), "only bytes that are there are consumed");
    begin_ += static_cast<std::uint32_t>(count);
}

void ByteQueue::trim() {
    if (!empty()) return;
    storage_.reset();
    begin_ = end_ = capacity_ = 0;
}

void ByteQueue::make_room(std::size_t count) {
    if (capacity_ - end_ >= count) return;
    if (begin_ >= size() && capacity_ - size() >= count) return compact();
    grow(size() + count);
}

void ByteQueue::compact() {
    const auto kept = static_cast<std::uint32_t>(size());
    std::memmove(storage_.get(), storage_.get() + begin_, kept);
    begin_ = 0;
    end_ = kept;
}

void ByteQueue::grow(std::size_t size_needed) {
    const std::size_t capacity =
        std::max({kStorageMin, std::size_t{capacity_} * 2, std::bit_ceil(size_needed)});
    BERTH_ASSERT(capacity <= kStorageMax, "a byte queue has at most 2 GiB");
    auto storage = std::make_unique_for_overwrite<std::byte[]>(capacity);
    const auto kept = static_cast<std::uint32_t>(size());
    std::copy_n(storage_.get() + begin_, kept, storage.get());
    storage_ = std::move(storage);
    begin_ = 0;
    end_ = kept;
    capacity_ = static_cast<std::uint32_t>(capacity);
}

}  // namespace berth::base
