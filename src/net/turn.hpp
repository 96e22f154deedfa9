// SPDX-License-Identifier: MIT
//
// Turn: what a loop is doing for the user right now: which callback, for which connection, what
// that connection has left to read, and what it has written so far.
//
// Input is lent for the turn, or seen where the connection keeps it; either way the view is here,
// and not in the connection, which pays nothing for it between its turns.
//
// Output of the connection whose turn it is goes here and leaves in one send when the callback
// returns; an echo needs no queue. One connection has the turn at a time, so one area serves
// the whole loop. Input that is written back is not even copied: it is lent until the turn ends,
// and the send is made from where it lies.
//
// Threads:   the loop's; callback() is read by the coordinator, to name a stuck handler.

#pragma once

#include <berth/bytes.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace berth::net {

class ConnectionCore;

enum class Callback : std::uint8_t {
    none,
    on_loop_start,
    on_loop_stop,
    on_open,
    on_traffic,
    on_end,
    on_writable,
    on_drain,
    on_close,
    on_connect_failed,
    on_export,
    on_import,
    on_datagram,
    on_tick,
    timer,
    task,
    completion,
};

std::string_view to_string(Callback callback);

class Turn {
public:
    static constexpr std::size_t kAreaBytes = 64U << 10U;
    // Longer writes are cheaper to send from where they are than to copy.
    static constexpr std::size_t kCopiedMax = 8U << 10U;

    explicit Turn(std::size_t write_limit)
        : area_(std::make_unique_for_overwrite<std::byte[]>(kAreaBytes)),
          written_(area_.get()),
          limit_(write_limit < kAreaBytes ? write_limit : kAreaBytes) {}

    void begin(ConnectionCore* owner, Bytes input) {
        owner_ = owner;
        unread_ = input;
    }
    void end() { owner_ = nullptr; }
    bool is_of(const ConnectionCore& connection) const { return owner_ == &connection; }
    bool is_idle() const { return owner_ == nullptr; }

    void enter(Callback callback) { callback_.store(callback, std::memory_order_relaxed); }
    Callback callback() const { return callback_.load(std::memory_order_relaxed); }

    // ── Input ────────────────────────────────────────────────────────────────────────────────
    Bytes unread() const { return unread_; }
    void consume(std::size_t count) { unread_ = unread_.subspan(count); }
    void drop_unread() { unread_ = {}; }

    // ── Output ───────────────────────────────────────────────────────────────────────────────
    // Where `size` bytes are to be copied to; the caller does that, as the last thing, so that
    // nothing must be kept across the call of memcpy. Null when they are too many to copy, do not
    // fit, or are none, which may be without an address: the subtraction asks for none and too
    // many at once. Null, too, behind what is sent back: gather() first.
    std::byte* append(std::size_t size) {
        const std::size_t end = used_ + size;
        if (size - 1 >= kCopiedMax || end > limit_) return nullptr;
        if (written_ != area_.get()) [[unlikely]] {
            if (used_ != 0) return nullptr;
            written_ = area_.get();
        }
        std::byte* const place = area_.get() + used_;
        used_ = end;
        return place;
    }
    // For input that is lent until the turn ends: false unless `bytes` are what is unread, from its
    // beginning, and nothing was written before.
    bool send_back(Bytes bytes) {
        if (bytes.data() != unread_.data() || bytes.size() > unread_.size()) return false;
        if (used_ != 0 || bytes.size() > limit_) return false;
        written_ = bytes.data();
        used_ = bytes.size();
        return true;
    }
    // Brings what is sent back into the area, so that more can follow it.
    void gather() {
        if (written_ == area_.get()) return;
        std::copy_n(written_, used_, area_.get());
        written_ = area_.get();
    }
    Bytes written() const { return {written_, used_}; }
    void clear() { used_ = 0; }

private:
    ConnectionCore* owner_ = nullptr;
    std::size_t used_ = 0;
    Bytes unread_;
    std::unique_ptr<std::byte[]> area_;
    const std::byte* written_;  // in the area, or in the input; its first used_ bytes
    std::size_t limit_;
    std::atomic<Callback> callback_{Callback::none};
};

}  // namespace berth::net
