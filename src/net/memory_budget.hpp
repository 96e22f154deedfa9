// SPDX-License-Identifier: MIT
//
// MemoryBudget: what all connections of an engine together may hold, and each loop's lease of it.
//
// A loop takes blocks and gives blocks back; in between it counts for itself, so that a message
// touches nothing that loops share. What cannot be leased is counted all the same: whoever made
// it necessary is closed at once.
//
// Threads:   MemoryBudget any; a MemoryLease its loop's.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace berth::net {

class MemoryBudget {
public:
    void set_max(std::size_t max) {  // before the loops begin; 0: no bound
        max_ = max;
        left_.store(max, std::memory_order_relaxed);
    }
    std::size_t max() const { return max_; }
    // Three quarters are leased.
    bool is_short() const {
        return max_ > 0 && left_.load(std::memory_order_relaxed) < max_ / kShortShare;
    }

    // All of it or nothing.
    bool take(std::size_t bytes) {
        std::size_t left = left_.load(std::memory_order_relaxed);
        do {
            if (left < bytes) return false;
        } while (!left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed));
        return true;
    }
    void give_back(std::size_t bytes) { left_.fetch_add(bytes, std::memory_order_relaxed); }

private:
    static constexpr std::size_t kShortShare = 4;

    std::atomic<std::size_t> left_{0};
    std::size_t max_ = 0;
};

class MemoryLease {
public:
    explicit MemoryLease(MemoryBudget& budget) : budget_(budget) {}

    // At the beginning of a run, when nothing is held.
    void begin() {
        constexpr std::size_t kBlockMax = 64U << 10U;
        constexpr std::size_t kBlocks = 256;  // of a small budget
        const bool is_bounded = budget_.max() > 0;
        block_ = std::clamp<std::size_t>(budget_.max() / kBlocks, 1, kBlockMax);
        reserve_ = is_bounded ? kReserveBlocks * block_ : kEndless;
        leased_ = is_bounded ? 0 : kEndless;
        used_ = 0;
    }

    void add(std::size_t bytes) {
        used_ += bytes;
        if (used_ > leased_) [[unlikely]]
            lease();
    }
    void sub(std::size_t bytes) {
        used_ -= bytes;
        if (leased_ > used_ + reserve_) [[unlikely]]
            give_back();
    }
    // Could so much more be held?
    bool has_room(std::size_t bytes) {
        if (used_ + bytes <= leased_) [[likely]]
            return true;
        add(bytes);
        const bool had_room = !is_exhausted();
        sub(bytes);
        return had_room;
    }
    bool is_exhausted() const { return used_ > leased_; }
    bool is_short() const { return budget_.is_short(); }
    std::size_t used() const { return used_; }

private:
    static constexpr std::size_t kReserveBlocks = 4;
    static constexpr std::size_t kEndless = std::numeric_limits<std::size_t>::max() / 2;

    void lease() {
        const std::size_t missing = used_ - leased_;
        const std::size_t wanted = (missing + block_ - 1) / block_ * block_;
        if (budget_.take(wanted)) leased_ += wanted;
    }
    void give_back() {
        const std::size_t spare = (leased_ - used_) / block_ * block_ - reserve_ / 2;
        leased_ -= spare;
        budget_.give_back(spare);
    }

    MemoryBudget& budget_;
    std::size_t used_ = 0;
    std::size_t leased_ = kEndless;
    std::size_t block_ = 1;
    std::size_t reserve_ = kEndless;
};

}  // namespace berth::net
