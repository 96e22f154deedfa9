// SPDX-License-Identifier: MIT
//
// Buffers: where the kernel puts what streams receive: a ring of buffers, shared by all of a loop.
//
// A stream has no buffer of its own: the kernel takes one when bytes are there. Incremental
// buffers (Linux 6.12) are large, and each completion uses up just what it needs, so that one
// MiB serves any number of streams; before them a buffer belongs to one completion, however small.
// Bytes are lent until give_back; the kernel never runs out for long, because nothing is kept.
//
// Lifetime:  registered with the ring until that closes; must outlive it.
// Threads:   that of the ring.
// See:       io_uring_register(2), IORING_REGISTER_PBUF_RING.

#pragma once

#include "base/outcome.hpp"
#include "driver/uring/compat.hpp"
#include "os/uring.hpp"

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace berth::driver::uring {

using base::Outcome;

class Buffers {
public:
    static constexpr std::uint16_t kGroup = 0;

    static Outcome<Buffers> open(int ring, bool may_be_incremental);

    bool is_incremental() const { return is_incremental_; }

    // The bytes of a completion that names a buffer. Completions come in the order in which the
    // kernel filled a buffer, so that each begins where the one before it ends.
    Bytes take(const io_uring_cqe& completion) {
        std::byte*& next = next_[number_of(completion)];
        const Bytes bytes(next, static_cast<std::uint32_t>(completion.res));
        next += bytes.size();
        return bytes;
    }
    // The kernel may fill it again, unless it is still at it.
    void give_back(std::uint32_t flags) {
        if ((flags & kBufferGoesOn) == 0) add(flags >> IORING_CQE_BUFFER_SHIFT);
    }
    // The same, but not before the poll after this one has ended: something is sent from there.
    void give_back_later(std::uint32_t flags) {
        if ((flags & kBufferGoesOn) == 0)
            used_in_this_.push_back(flags >> IORING_CQE_BUFFER_SHIFT);  // never more than there are
    }
    // A poll ends. The kernel has answered for all that was sent before it.
    void end_poll() {
        if (!used_in_last_.empty() || !used_in_this_.empty()) [[unlikely]]
            give_back_last();
    }
    bool contain(Bytes bytes) const {
        return static_cast<std::size_t>(bytes.data() - memory_.data()) < memory_.size();
    }

private:
    Buffers() = default;
    Outcome<void> try_open(int ring, std::size_t count, std::size_t size, std::uint16_t flags);
    static std::uint32_t number_of(const io_uring_cqe& completion) {
        return completion.flags >> IORING_CQE_BUFFER_SHIFT;
    }
    void add(std::uint32_t which);
    void give_back_last();

    os::Mapping memory_;
    os::Mapping entry_memory_;
    std::span<io_uring_buf> entries_;
    std::vector<std::byte*> next_;  // by buffer: where its next completion begins
    std::vector<std::uint32_t> used_in_last_;
    std::vector<std::uint32_t> used_in_this_;
    std::size_t size_ = 0;
    std::uint16_t tail_ = 0;
    bool is_incremental_ = false;
};

}  // namespace berth::driver::uring
