// SPDX-License-Identifier: MIT
//
// Outbox: what send_soon has taken, until the kernel has answered for it.
//
// Bytes are copied into the batch of the poll under way, unless they lie where they were received:
// that buffer is then not given back before. Each letter's send is queued in the ring; the next
// poll submits all of them in the one call that it makes anyway. A send that succeeds makes no
// completion. The kernel tries them while it takes them, so that whatever it refuses is known when
// the call returns: then a letter is looked up, by its stream. Meanwhile the other batch fills. Two
// are enough, because no poll ends before all refusals were seen.
//
// Lifetime:  of the driver; a batch is cleared when the poll after its own ends.
// See:       docs/internals/uring.md

#pragma once

#include "driver/driver.hpp"
#include "driver/uring/requests.hpp"

#include <berth/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace berth::driver::uring {

// One send: at most one of a stream is neither submitted nor withdrawn.
struct Letter {
    const Stream* stream;
    std::uint32_t entry;  // of the ring
    bool is_withdrawn;    // its entry does nothing
    Bytes bytes;
};

class Batch {
public:
    static constexpr std::size_t kArea = 256U << 10U;
    static constexpr std::size_t kLettersMax = 1024;

    Batch() { clear(); }

    bool takes_letters() const { return next_ != last_; }
    bool has_room(std::size_t size) const {
        return size <= kArea - static_cast<std::size_t>(end_ - area_.get());
    }
    // Where so many bytes are to be copied to, before their letter is added.
    std::byte* place(std::size_t size) { return std::exchange(end_, end_ + size); }
    void add(const Stream& stream, Bytes bytes, std::uint32_t entry) {
        *next_++ = {.stream = &stream, .entry = entry, .is_withdrawn = false, .bytes = bytes};
    }
    bool is_empty() const { return next_ == letters_.get(); }
    void clear() {
        end_ = area_.get();
        next_ = letters_.get();
        last_ = next_ + kLettersMax;
    }
    // Null: there is none.
    Letter* latest() { return is_empty() ? nullptr : next_ - 1; }
    // No letters from now on, until it is cleared.
    void seal() { last_ = next_; }
    // The latest of that stream; null: it has none.
    Letter* last_of(const Stream& stream) {
        for (Letter* letter = next_; letter != letters_.get();) {
            if ((--letter)->stream == &stream) return letter;
        }
        return nullptr;
    }

private:
    std::unique_ptr<std::byte[]> area_ = std::make_unique_for_overwrite<std::byte[]>(kArea);
    std::unique_ptr<Letter[]> letters_ = std::make_unique_for_overwrite<Letter[]>(kLettersMax);
    std::byte* end_ = nullptr;
    Letter* next_ = nullptr;
    Letter* last_ = nullptr;
};

class Outbox {
public:
    Batch& current() { return *current_; }
    Batch& previous() { return *previous_; }
    // That of the poll which this kind of send belongs to.
    Batch& of(Asked send) { return send == current_send_ ? *current_ : *previous_; }
    Asked current_send() const { return current_send_; }
    bool is_empty() const { return current_->is_empty() && previous_->is_empty(); }
    // The next poll's begins; `previous` must have been settled and is cleared.
    void turn_over() {
        previous_->clear();
        std::swap(current_, previous_);
        current_send_ = current_send_ == Asked::send ? Asked::send_odd : Asked::send;
    }

private:
    std::array<Batch, 2> batches_;
    Batch* current_ = &batches_[0];
    Batch* previous_ = &batches_[1];
    Asked current_send_ = Asked::send;
};

}  // namespace berth::driver::uring
