// SPDX-License-Identifier: MIT
//
// Buffer: bytes that are owned, moved and shared without a copy.
//
// What Connection::take returns and Connection::write accepts. One block may sit in the output
// queues of thousands of connections (broadcast); the last holder frees it.
//
// Lifetime:  the block lives until its last Buffer is gone.
// Threads:   a Buffer is a value; different Buffers of one block may be used by different
//            threads. The bytes never change once shared.

#pragma once

#include <berth/bytes.hpp>
#include <berth/export.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

class BERTH_EXPORT Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    Buffer(const Buffer&) = delete;  // share() says that no byte is copied
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer();

    static Buffer copy_of(Bytes bytes);
    static Buffer copy_of(std::string_view text) { return copy_of(as_bytes(text)); }
    // Takes over the memory of a container.
    static Buffer adopt(std::string&& text);
    static Buffer adopt(std::vector<std::byte>&& bytes);

    // Another Buffer over the same block.
    Buffer share() const;
    // Drops the first `count` bytes from this view; other Buffers of the block keep them.
    void remove_prefix(std::size_t count);

    Bytes bytes() const { return {data_, size_}; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

private:
    struct Block;
    Buffer(Block* block, const std::byte* data, std::size_t size)
        : block_(block), data_(data), size_(size) {}
    void release();

    Block* block_ = nullptr;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace berth
