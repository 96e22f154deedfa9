// SPDX-License-Identifier: MIT
//
// Ring: setting it up as this kernel allows, and entering it.

#include "driver/uring/ring.hpp"

#include "driver/uring/compat.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <thread>

namespace berth::driver::uring {

namespace {

// The best first. The last is the oldest that can be: multishot receives are of Linux 6.0.
struct Way {
    std::uint32_t flags;
    bool is_deferred;
};
constexpr std::uint32_t kAlways =
    IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED;
constexpr std::array kWays{
    Way{kAlways | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, true},  // Linux 6.1
    Way{kAlways | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN, false},  // Linux 6.0
};

constexpr std::uint32_t kNeeded = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP |
                                  IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG |
                                  IORING_FEAT_CQE_SKIP;

constexpr int kTriesMax = 1000;  // some milliseconds

bool may_accept_ahead(const Features& allowed, const os::RingParameters& told) {
    return allowed.accept_ahead && (told.features & kAcceptPollFirstFeature) != 0;
}

// No flag tells of multishot receives, but an operation that came with them.
Outcome<void> require_multishot(int ring) {
    constexpr std::uint8_t kSameVersion = IORING_OP_SEND_ZC;
    constexpr std::uint32_t kOperations = kSameVersion + 1;
    // An io_uring_probe, with that many operations behind it.
    alignas(io_uring_probe)
        std::array<std::byte, sizeof(io_uring_probe) + kOperations * sizeof(io_uring_probe_op)>
            room{};
    const auto probed =
        os::register_with_ring(ring, IORING_REGISTER_PROBE, room.data(), kOperations);
    if (!probed) return base::failed(probed.errno_value());
    io_uring_probe told;
    std::memcpy(&told, room.data(), sizeof told);
    if (told.last_op < kSameVersion) return base::failed(EOPNOTSUPP);
    return {};
}

}  // namespace

Outcome<std::unique_ptr<Ring>> Ring::open(const Features& allowed) {
    int errno_value = 0;
    for (const Way& way : kWays) {
        if (way.is_deferred && !allowed.deferred) continue;
        os::RingParameters parameters{};
        parameters.flags = way.flags;
        parameters.cq_entries = kCompletions;
        const auto opened = os::open_ring(kEntries, parameters);
        errno_value = opened.errno_value();
        if (errno_value == EINVAL) continue;
        if (!opened) break;
        auto ring = std::unique_ptr<Ring>(new Ring(*opened));
        ring->is_deferred_ = way.is_deferred;
        ring->accepts_ahead_ = may_accept_ahead(allowed, parameters);
        if ((parameters.features & kNeeded) != kNeeded) return base::failed(EOPNOTSUPP);
        auto done = require_multishot(*opened);
        if (done) done = ring->map(parameters);
        if (!done) return base::failed(done.errno_value());
        return ring;
    }
    return base::failed(errno_value == EINVAL ? EOPNOTSUPP : errno_value);
}

Outcome<void> Ring::map(const os::RingParameters& parameters) {
    // What was asked for are powers of two, so the kernel rounds nothing up.
    if (parameters.sq_entries != kEntries || parameters.cq_entries != kCompletions) {
        return base::failed(EINVAL);
    }
    const std::size_t entry_indices =
        parameters.sq_off.array + parameters.sq_entries * sizeof(std::uint32_t);
    const std::size_t completions =
        parameters.cq_off.cqes + parameters.cq_entries * sizeof(io_uring_cqe);
    auto rings =
        os::Mapping::of_ring(number(), std::max(entry_indices, completions), IORING_OFF_SQ_RING);
    if (!rings) return base::failed(rings.errno_value());
    auto entries = os::Mapping::of_ring(number(), parameters.sq_entries * sizeof(io_uring_sqe),
                                        IORING_OFF_SQES);
    if (!entries) return base::failed(entries.errno_value());
    rings_ = std::move(*rings);
    entry_memory_ = std::move(*entries);

    const auto word = [&](std::uint32_t offset) {
        return reinterpret_cast<std::uint32_t*>(rings_.data() + offset);
    };
    entries_ = reinterpret_cast<io_uring_sqe*>(entry_memory_.data());
    completions_ = reinterpret_cast<io_uring_cqe*>(rings_.data() + parameters.cq_off.cqes);
    entry_tail_ = word(parameters.sq_off.tail);
    completion_head_ = word(parameters.cq_off.head);
    completion_tail_ = word(parameters.cq_off.tail);
    // Entries are used in the order of their places, for ever.
    const std::span order{word(parameters.sq_off.array), parameters.sq_entries};
    std::iota(order.begin(), order.end(), 0U);
    return {};
}

Outcome<void> Ring::enable() {
    if (is_enabled_) return {};
    const auto enabled = os::register_with_ring(number(), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    if (!enabled) return base::failed(enabled.errno_value());
    is_enabled_ = true;
    return {};
}

// Shows the kernel what was written.
void Ring::publish() {
    const auto enabled = enable();
    if (!enabled) broken_ = enabled.errno_value();
    std::atomic_ref(*entry_tail_).store(tail_, std::memory_order_release);
}

// Entries that the kernel does not take would be overwritten, and their answers never come. EAGAIN:
// there is no memory for a request just now, and others may give some back.
void Ring::submit() {
    publish();
    for (int tries = 0; has_unsubmitted() && broken_ == 0;) {
        const long submitted = os::submit_to_ring(number(), tail_ - submitted_);
        if (submitted >= 0) {
            submitted_ += static_cast<std::uint32_t>(submitted);
        } else if (submitted == -EAGAIN && ++tries < kTriesMax) {
            std::this_thread::yield();
        } else if (submitted != -EINTR) {
            broken_ = static_cast<int>(-submitted);
        }
    }
}

// EBUSY: completions overflowed, and this very call has made room for them. EAGAIN: no memory for
// a request just now. Entries stay where they are, and are submitted by the next call.
Outcome<void> Ring::enter(Duration timeout) {
    publish();
    if (broken_ != 0) return base::failed(broken_);
    const long result = os::enter_ring(number(), tail_ - submitted_, timeout);
    if (result >= 0) {
        submitted_ += static_cast<std::uint32_t>(result);
        return {};
    }
    switch (result) {
        case -ETIME:
        case -EINTR:
        case -EBUSY:
        case -EAGAIN: return {};
        default: broken_ = static_cast<int>(-result); return base::failed(broken_);
    }
}

std::string why_not(int errno_value) {
    switch (errno_value) {
        case ENOSYS: return "this kernel has no io_uring, or a filter of system calls hides it";
        case EPERM:
        case EACCES: return "io_uring is switched off here (kernel.io_uring_disabled, or a filter)";
        case EOPNOTSUPP: return "the io_uring of this kernel is older than Linux 6.0";
        case ENOMEM: return "there is no memory for a ring (RLIMIT_MEMLOCK, or the group's limit)";
        case EMFILE:
        case ENFILE: return "there is no descriptor for a ring";
        default: return std::strerror(errno_value);
    }
}

}  // namespace berth::driver::uring
