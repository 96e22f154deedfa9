// SPDX-License-Identifier: MIT
//
// bare_ring: an io_uring and its provided buffers, as the bare loops of this folder need them.
//
// Nothing of berth's driver is in it: a yardstick that shares code with what it measures would
// hide what that code costs. The ring is DEFER_TASKRUN|SINGLE_ISSUER (Linux 6.1): answers come
// inside enter() alone, so that each pass sees a snapshot. The buffers are incremental (Linux
// 6.12) where the kernel has them, and many small ones where not.
//
// Errors:    told on stderr, and the end of the program.
// See:       io_uring_setup(2), io_uring_enter(2), io_uring_register(2).

#pragma once

#include "driver/uring/compat.hpp"
#include "listening.hpp"
#include "os/raw_call.hpp"

#include <linux/io_uring.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

using berth::os::Call;
using berth::os::raw_call;

// Answers of one pass, and thereby entries that one pass can ask for.
inline constexpr std::uint32_t kAnswersMax = 1U << 14U;

inline std::byte* map_memory(std::size_t size, int flags, int ring, std::uint64_t offset) {
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, ring, static_cast<off_t>(offset));
    require(memory != MAP_FAILED, "mmap");
    return static_cast<std::byte*>(memory);
}

class BareRing {
public:
    BareRing() {
        io_uring_params told{};
        told.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                     IORING_SETUP_DEFER_TASKRUN;
        told.cq_entries = kAnswersMax;
        ring_ = static_cast<int>(raw_call(Call::ring_setup, kAnswersMax, &told));
        if (ring_ < 0) errno = -ring_;
        require(ring_ >= 0, "io_uring_setup (Linux 6.1 or newer is needed)");
        const std::size_t size =
            std::max(told.sq_off.array + told.sq_entries * sizeof(std::uint32_t),
                     told.cq_off.cqes + told.cq_entries * sizeof(io_uring_cqe));
        std::byte* const rings =
            map_memory(size, MAP_SHARED | MAP_POPULATE, ring_, IORING_OFF_SQ_RING);
        entries_ = reinterpret_cast<io_uring_sqe*>(
            map_memory(told.sq_entries * sizeof(io_uring_sqe), MAP_SHARED, ring_, IORING_OFF_SQES));
        answers_ = reinterpret_cast<io_uring_cqe*>(rings + told.cq_off.cqes);
        const auto word = [rings](std::uint32_t offset) {
            return reinterpret_cast<std::uint32_t*>(rings + offset);
        };
        order_ = word(told.sq_off.array);
        entry_tail_ = word(told.sq_off.tail);
        flags_ = word(told.sq_off.flags);
        answer_head_ = word(told.cq_off.head);
        answer_tail_ = word(told.cq_off.tail);
    }

    int number() const { return ring_; }

    // The next entry, as the last user of its place left it. The kernel reads all entries in each
    // pass, so the same few places serve for ever and stay in the cache.
    io_uring_sqe& next() {
        order_[(tail_ + asked_) & (kAnswersMax - 1)] = asked_;
        return entries_[asked_++];
    }
    // Submits, and waits for an answer if it may.
    void enter(bool may_wait) {
        tail_ += asked_;
        std::atomic_ref(*entry_tail_).store(tail_, std::memory_order_release);
        const std::uint32_t least = may_wait ? 1 : 0;
        const long result = raw_call(Call::ring_enter, ring_, asked_, least, IORING_ENTER_GETEVENTS,
                                     nullptr, std::size_t{0});
        if (result < 0) errno = static_cast<int>(-result);
        // Interrupted by who counts its steps; what was to be submitted has been, by then.
        const bool is_interrupted = result == -EINTR && asked_ == 0;
        require(is_interrupted || result == static_cast<long>(asked_), "io_uring_enter");
        require((*flags_ & IORING_SQ_CQ_OVERFLOW) == 0, "too many answers for one pass");
        asked_ = 0;
    }
    template <class Use>
    void for_each_answer(Use use) {
        const std::uint32_t end = std::atomic_ref(*answer_tail_).load(std::memory_order_acquire);
        for (; head_ != end; ++head_) use(answers_[head_ & (kAnswersMax - 1)]);
        std::atomic_ref(*answer_head_).store(head_, std::memory_order_release);
    }

private:
    int ring_;
    io_uring_sqe* entries_;
    io_uring_cqe* answers_;
    std::uint32_t* order_;
    std::uint32_t* entry_tail_;
    std::uint32_t* flags_;
    std::uint32_t* answer_head_;
    std::uint32_t* answer_tail_;
    std::uint32_t tail_ = 0;
    std::uint32_t asked_ = 0;
    std::uint32_t head_ = 0;
};

class BareBuffers {
public:
    explicit BareBuffers(int ring) {
        // 1 MiB stays in the second-level cache. 32 of 256 KiB cost 6 to 14 % more per request.
        if (open(ring, 16, 64U << 10U, berth::driver::uring::kIncrementalBuffers)) return;
        require(open(ring, 512, 16U << 10U, 0), "IORING_REGISTER_PBUF_RING");
    }

    std::byte* take(const io_uring_cqe& answer) {
        const std::uint32_t which = answer.flags >> IORING_CQE_BUFFER_SHIFT;
        std::byte* const begin = memory_ + which * size_ + used_[which];
        used_[which] += static_cast<std::uint32_t>(answer.res);
        if ((answer.flags & berth::driver::uring::kBufferGoesOn) == 0) [[unlikely]] {
            add(which);
        }
        return begin;
    }
    // At the end of a pass. What was used up before this pass may be overwritten from now on; what
    // was used up in it is still sent from.
    void give_back() {
        std::atomic_ref(entries_->resv).store(old_tail_, std::memory_order_release);
        old_tail_ = tail_;
    }

private:
    bool open(int ring, std::uint32_t count, std::size_t size, std::uint16_t flags) {
        constexpr int kPrivate = MAP_PRIVATE | MAP_ANONYMOUS;
        entries_ = reinterpret_cast<io_uring_buf*>(
            map_memory(count * sizeof(io_uring_buf), kPrivate, -1, 0));
        io_uring_buf_reg told{};
        told.ring_addr = std::bit_cast<std::uintptr_t>(entries_);
        told.ring_entries = count;
        told.pad = flags;
        const long result =
            raw_call(Call::ring_register, ring, IORING_REGISTER_PBUF_RING, &told, std::size_t{1});
        if (result < 0) return false;
        memory_ = map_memory(count * size, kPrivate, -1, 0);
        size_ = size;
        used_.resize(count);
        for (std::uint32_t which = 0; which < count; ++which) add(which);
        old_tail_ = tail_;
        give_back();
        return true;
    }
    void add(std::uint32_t which) {
        io_uring_buf& entry = entries_[tail_++ & (used_.size() - 1)];
        entry.addr = std::bit_cast<std::uintptr_t>(memory_ + which * size_);
        entry.len = static_cast<std::uint32_t>(size_);
        entry.bid = static_cast<std::uint16_t>(which);
        used_[which] = 0;
    }

    io_uring_buf* entries_;
    std::byte* memory_;
    std::size_t size_;
    std::vector<std::uint32_t> used_;
    std::uint16_t tail_ = 0;
    std::uint16_t old_tail_ = 0;  // at the end of the last pass
};

}  // namespace bench
