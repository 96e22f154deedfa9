// SPDX-License-Identifier: MIT
//
// Ring: an io_uring: entries that go down, completions that come up, and one call that does both.
//
// It is opened disabled and enabled by the first call that submits: with a single issuer, the
// thread that enables a ring owns it. Where the kernel can, completions are made only inside
// enter(), so that nothing interrupts the loop and each pass sees a snapshot.
//
// Threads:   open() on any; all else on the thread of the first submission.
// Errors:    an errno. ENOSYS, EPERM, EOPNOTSUPP when opening: why_not() says it in words. A ring
//            that refuses entries is broken: enter() says so from then on.
// See:       io_uring_setup(2), io_uring(7).

#pragma once

#include "base/outcome.hpp"
#include "os/owned_descriptor.hpp"
#include "os/returns.hpp"
#include "os/uring.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace berth::driver::uring {

using base::Outcome;

// What may be used of newer kernels, if they have it. Tests take it away.
struct Features {
    bool deferred = true;      // Linux 6.1: completions only inside enter()
    bool accept_ahead = true;  // Linux 6.10: an accept makes nothing before there is a client
    bool incremental = true;   // Linux 6.12: buffers that several completions share
};

class Ring {
public:
    // Entries queued before they must be submitted; completions that wait without overflowing.
    // Entries are used one after the other, round and round: few of them stay in the first cache.
    static constexpr std::uint32_t kEntries = 256;
    static constexpr std::uint32_t kCompletions = 64 * kEntries;

    static Outcome<std::unique_ptr<Ring>> open(const Features& allowed);
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    int number() const { return descriptor_.number(); }
    // Are completions made inside enter() alone?
    bool is_deferred() const { return is_deferred_; }
    // May a client be asked for before there is one?
    bool accepts_ahead() const { return accepts_ahead_; }

    // ── Entries: each has a number, the next one's is tail() ─────────────────────────────────
    bool is_full() const { return tail_ - submitted_ == kEntries; }
    std::uint32_t tail() const { return tail_; }
    io_uring_sqe& at(std::uint32_t entry) { return entries_[entry % kEntries]; }
    // The next entry, as it was used the last time. Not full.
    io_uring_sqe& next_used() { return at(tail_++); }
    // The same, all zero.
    io_uring_sqe& next() { return next_used() = {}; }
    bool has_unsubmitted() const { return tail_ != submitted_; }
    std::uint32_t first_unsubmitted() const { return submitted_; }
    // Has the kernel read it?
    bool is_submitted(std::uint32_t entry) const {
        return entry - submitted_ >= tail_ - submitted_;
    }
    // Makes the kernel read all entries now; completes only what it refuses.
    BERTH_RETURNS_BY_JUMP void submit();
    // Submits, and waits for one completion, for ever. False: look at enter(), which may be
    // called in its place at any time.
    bool wait() {
        std::atomic_ref(*entry_tail_).store(tail_, std::memory_order_release);
        const long result = os::wait_for_ring(number(), tail_ - submitted_);
        if (result < 0) [[unlikely]]
            return result == -EINTR;
        submitted_ += static_cast<std::uint32_t>(result);
        return true;
    }
    // Submits, and waits for one completion, no longer than `timeout`. Enables the ring, if that
    // has not been done.
    BERTH_RETURNS_BY_JUMP Outcome<void> enter(Duration timeout);

    // ── Completions ──────────────────────────────────────────────────────────────────────────
    std::uint32_t count_ready() const {
        return std::atomic_ref(*completion_tail_).load(std::memory_order_acquire) - head_;
    }
    // Takes the first; there is one. It stays where it is until give_back().
    const io_uring_cqe& take() { return completions_[head_++ % kCompletions]; }
    // The kernel may use their places again.
    void give_back() { std::atomic_ref(*completion_head_).store(head_, std::memory_order_release); }
    // Those that wait, the first at 0: to look ahead, and to change what will be taken.
    io_uring_cqe& ready(std::uint32_t place) {
        return completions_[(head_ + place) % kCompletions];
    }

private:
    explicit Ring(int descriptor) : descriptor_(descriptor) {}
    Outcome<void> map(const os::RingParameters& parameters);
    Outcome<void> enable();
    void publish();

    os::OwnedDescriptor descriptor_;
    os::Mapping rings_;
    os::Mapping entry_memory_;
    io_uring_sqe* entries_ = nullptr;      // kEntries
    io_uring_cqe* completions_ = nullptr;  // kCompletions
    std::uint32_t* entry_tail_ = nullptr;
    std::uint32_t* completion_head_ = nullptr;
    std::uint32_t* completion_tail_ = nullptr;  // the kernel's
    std::uint32_t tail_ = 0;                    // of the entries
    std::uint32_t submitted_ = 0;               // the kernel has read those before it
    std::uint32_t head_ = 0;                    // of the completions
    bool is_deferred_ = false;
    bool accepts_ahead_ = false;
    bool is_enabled_ = false;
    int broken_ = 0;
};

// Why a driver over io_uring could not be opened, in words, for the errno of opening it.
std::string why_not(int errno_value);

}  // namespace berth::driver::uring
