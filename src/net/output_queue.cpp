// SPDX-License-Identifier: MIT
//
// OutputQueue: appending, viewing and consuming the chain.

#include "net/output_queue.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace berth::net {

void OutputQueue::Segment::remove_prefix(std::size_t count) {
    if (chunk) {
        begin += count;
    } else {
        buffer.remove_prefix(count);
    }
}

OutputQueue::Segment& OutputQueue::add_segment() {
    Segment* segment = pool_->take_segment().release();
    if (last_ != nullptr) {
        last_->next = segment;
    } else {
        first_ = segment;
    }
    return *(last_ = segment);
}

void OutputQueue::append_copy(Bytes bytes) {
    if (bytes.size() > kChunkBytes) return append(Buffer::copy_of(bytes));
    while (!bytes.empty()) {
        if (last_ == nullptr || !last_->chunk || last_->end == kChunkBytes) {
            add_segment().chunk = pool_->take_chunk();
        }
        const std::size_t count = std::min(bytes.size(), kChunkBytes - last_->end);
        std::memcpy(last_->chunk.get() + last_->end, bytes.data(), count);
        last_->end += count;
        bytes_ += count;
        bytes = bytes.subspan(count);
    }
}

void OutputQueue::append(Buffer&& buffer) {
    if (buffer.empty()) return;
    bytes_ += buffer.size();
    add_segment().buffer = std::move(buffer);
}

void OutputQueue::prepend_copy(Bytes bytes) {
    if (bytes.empty()) return;
    Segment* const segment = pool_->take_segment().release();
    segment->buffer = Buffer::copy_of(bytes);
    segment->next = std::exchange(first_, segment);
    if (last_ == nullptr) last_ = segment;
    bytes_ += bytes.size();
}

driver::Slices OutputQueue::front(std::span<Bytes> room) const {
    std::size_t count = 0;
    for (Segment* segment = first_; segment != nullptr && count < room.size();
         segment = segment->next) {
        room[count++] = segment->view();
    }
    return room.first(count);
}

Bytes OutputQueue::from(std::size_t offset) const {
    for (const Segment* segment = first_; segment != nullptr; segment = segment->next) {
        const Bytes view = segment->view();
        if (offset < view.size()) return view.subspan(offset);
        offset -= view.size();
    }
    return {};
}

void OutputQueue::consume(std::size_t count) {
    BERTH_ASSERT(count <= bytes_, "no more is sent than was queued");
    bytes_ -= count;
    while (count > 0) {
        const std::size_t size = first_->view().size();
        if (count < size) return first_->remove_prefix(count);
        count -= size;
        drop_front();
    }
}

void OutputQueue::drop_front() {
    Segment* segment = first_;
    first_ = segment->next;
    if (first_ == nullptr) last_ = nullptr;
    pool_->give_back_segment(segment);
}

std::unique_ptr<OutputQueue> OutputPool::take_queue() {
    if (queues_.empty()) return std::unique_ptr<OutputQueue>(new OutputQueue(*this));
    auto queue = std::move(queues_.back());
    queues_.pop_back();
    return queue;
}

void OutputPool::give_back(std::unique_ptr<OutputQueue> queue) {
    queue->consume(queue->bytes());
    if (queues_.size() < kKept) queues_.push_back(std::move(queue));
}

std::unique_ptr<OutputQueue::Segment> OutputPool::take_segment() {
    if (segments_.empty()) return std::make_unique<OutputQueue::Segment>();
    auto segment = std::move(segments_.back());
    segments_.pop_back();
    return segment;
}

std::unique_ptr<std::byte[]> OutputPool::take_chunk() {
    if (chunks_.empty()) return std::make_unique_for_overwrite<std::byte[]>(kChunkBytes);
    auto chunk = std::move(chunks_.back());
    chunks_.pop_back();
    return chunk;
}

void OutputPool::give_back_segment(OutputQueue::Segment* segment) {
    std::unique_ptr<OutputQueue::Segment> owned(segment);
    if (owned->chunk && chunks_.size() < kKept) chunks_.push_back(std::move(owned->chunk));
    *owned = OutputQueue::Segment{};
    if (segments_.size() < kKept) segments_.push_back(std::move(owned));
}

}  // namespace berth::net
