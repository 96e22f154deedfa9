// SPDX-License-Identifier: MIT
//
// Wire: what a connection with a transport has beside a plain one: the transport, and the wire
// bytes that the kernel has not taken yet.
//
// Plaintext stays in the connection's OutputQueue until the kernel has taken the whole record
// that carries it, so that water marks, completions and counters mean the same as on a plain
// connection. Little is sealed ahead: what is sealed can no longer be taken back, and is there
// twice.
//
// Lifetime:  in its ConnectionTable, until the slot of its connection is freed. The driver looks
//            at its queue until the connection's last completion.
// Threads:   the loop's.

#pragma once

#include "net/output_queue.hpp"
#include "transport/transport.hpp"

#include <berth/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace berth::net {

class Wire {
public:
    // Sealing pauses above the first; a peer that makes us owe more than the second, by asking
    // for answers that it does not read, is cut off.
    static constexpr std::size_t kSealedMax = 2 * transport::kRecordMax;
    static constexpr std::size_t kOwedMax = 4 * transport::kRecordMax;
    static constexpr std::size_t kRecordsMax = 16;  // sealed ahead

    Wire(std::unique_ptr<transport::Transport> transport, OutputPool& pool)
        : transport_(std::move(transport)), pool_(pool) {}

    transport::Transport& transport() { return *transport_; }

    // ── Out ──────────────────────────────────────────────────────────────────────────────────
    // Seals from the front of `plain`, as far as the transport and the bounds allow, and gives
    // what is to be sent; null: nothing. `plain` may be null.
    OutputQueue* fill(const OutputQueue* plain);
    // Fetches what the transport wants to send by itself.
    void collect();
    // The kernel has taken `count` bytes: so many bytes of plaintext are gone with them.
    std::size_t taken(std::size_t count);
    void say_goodbye();  // once, however often it is called
    bool empty() const { return queue_ == nullptr; }
    bool owes_too_much() const { return queue_ != nullptr && queue_->bytes() > kOwedMax; }

    // ── In ───────────────────────────────────────────────────────────────────────────────────
    void note_fin() { fin_received_ = true; }
    bool fin_received() const { return fin_received_; }
    // The peer's end is told once, by its goodbye or by its FIN, whichever counts first.
    bool tell_end() { return !std::exchange(end_told_, true); }

private:
    struct Record {
        std::uint64_t wire_end;  // position of its last wire byte
        std::size_t plain;
    };
    bool may_seal_more() const;

    std::unique_ptr<transport::Transport> transport_;
    OutputPool& pool_;
    std::unique_ptr<OutputQueue> queue_;  // never empty
    std::vector<Record> records_;         // sealed and not gone
    std::size_t sealed_ = 0;              // plaintext in records_
    std::uint64_t produced_ = 0;          // wire bytes ever put into queue_, and taken from it
    std::uint64_t taken_ = 0;
    bool goodbye_said_ = false;
    bool fin_received_ = false;
    bool end_told_ = false;
};

}  // namespace berth::net
