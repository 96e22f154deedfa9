// SPDX-License-Identifier: MIT
//
// Buffer: a view of a counted block. A copied block is one allocation, the bytes behind the
// header; an adopted one holds the container itself.

#include <berth/buffer.hpp>

#include "base/assert.hpp"

#include <berth/bytes.hpp>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace berth {

struct Buffer::Block {
    using Destroy = void (*)(Block*);

    template <class Container>
    struct Adopted;

    explicit Block(Destroy destroy_block) : destroy(destroy_block) {}

    template <class Container>
    static Buffer adopt(Container container);

    std::atomic<std::size_t> holders{1};
    const Destroy destroy;
};

template <class Container>
struct Buffer::Block::Adopted : Block {
    explicit Adopted(Container&& from)
        : Block([](Block* block) { delete static_cast<Adopted*>(block); }),
          container(std::move(from)) {}

    const Container container;
};

template <class Container>
Buffer Buffer::Block::adopt(Container container) {
    if (container.empty()) return {};
    auto* block = new Adopted<Container>(std::move(container));
    // Taken after the move: a short string moves its bytes along.
    const Bytes bytes = std::as_bytes(std::span(block->container));
    return {block, bytes.data(), bytes.size()};
}

Buffer Buffer::adopt(std::string&& text) { return Block::adopt(std::move(text)); }

Buffer Buffer::adopt(std::vector<std::byte>&& bytes) { return Block::adopt(std::move(bytes)); }

Buffer Buffer::copy_of(Bytes bytes) {
    if (bytes.empty()) return {};
    void* memory = ::operator new(sizeof(Block) + bytes.size());
    auto* block = ::new (memory) Block([](Block* last) {
        last->~Block();
        ::operator delete(last);
    });
    auto* data = static_cast<std::byte*>(memory) + sizeof(Block);
    std::memcpy(data, bytes.data(), bytes.size());
    return {block, data, bytes.size()};
}

Buffer::Buffer(Buffer&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));  // first, so that assigning a Buffer to itself keeps it
    std::swap(block_, taken.block_);
    std::swap(data_, taken.data_);
    std::swap(size_, taken.size_);
    return *this;
}

Buffer::~Buffer() { release(); }

Buffer Buffer::share() const {
    // Relaxed: whoever shares holds the block, so that it cannot go meanwhile.
    if (block_ != nullptr) block_->holders.fetch_add(1, std::memory_order_relaxed);
    return {block_, data_, size_};
}

void Buffer::remove_prefix(std::size_t count) {
    BERTH_ASSERT(count <= size_, "only bytes that are there are removed");
    data_ += count;
    size_ -= count;
}

void Buffer::release() {
    if (block_ == nullptr) return;
    // Nobody but the last holder could raise a count of one: a Buffer that was never shared goes
    // without an atomic write. Acquire: the other holders have read their last byte.
    if (block_->holders.load(std::memory_order_acquire) == 1 ||
        block_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        block_->destroy(block_);
    }
}

}  // namespace berth
