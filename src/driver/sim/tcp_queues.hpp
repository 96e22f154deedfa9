// SPDX-License-Identifier: MIT
//
// SendQueue, ReceiveQueue: the two halves of a TCP connection as bytes with numbers.
//
// Sent bytes stay until they are acknowledged; a FIN counts as one more byte after the last. The
// window is a place in the sequence: it only moves forward, and a FIN needs room in it too.
//
// See:       RFC 9293, 3.3.1.

#pragma once

#include "base/byte_queue.hpp"

#include <berth/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace berth::driver::sim {

class SendQueue {
public:
    // The SYN has the number `first`, the bytes the next ones.
    void start(std::uint64_t first) {
        acknowledged_ = first;
        next_ = end_ = window_end_ = first + 1;
        has_fin_ = false;
    }

    void append(Bytes bytes) {
        bytes_.append(bytes);
        end_ += bytes.size();
    }
    void append_fin() { has_fin_ = true; }
    // What was not acknowledged will not be. The counts stay: SIOCOUTQ goes on telling them.
    void drop() {
        bytes_.consume(bytes_.size());
        bytes_.trim();
    }

    std::uint64_t next() const { return next_; }
    std::size_t size() const { return bytes_.size(); }
    std::uint64_t unacknowledged() const { return end_with_fin() - acknowledged_; }
    std::uint64_t unsent() const { return end_with_fin() - next_; }
    bool is_fin_acknowledged() const { return has_fin_ && unacknowledged() == 0; }

    // What the window lets out now, and whether the FIN is next.
    Bytes due(std::size_t size_max) const {
        const auto last = std::min(end_, window_end_);
        if (next_ >= last) return {};
        const auto size = std::min<std::uint64_t>(last - next_, size_max);
        return bytes_.view().subspan(next_ - begin(), size);
    }
    bool is_fin_due() const { return has_fin_ && next_ == end_ && next_ < window_end_; }
    void sent(std::uint64_t count) { next_ += count; }
    // What is unacknowledged is sent again.
    void go_back() { next_ = begin(); }

    // True if anything new was acknowledged.
    bool acknowledge(std::uint64_t upto, std::size_t window) {
        if (upto < acknowledged_ || upto > end_with_fin()) return false;
        window_end_ = std::max(window_end_, upto + window);
        if (upto == acknowledged_) return false;
        bytes_.consume(std::min(upto, end_) - begin());
        acknowledged_ = upto;
        next_ = std::max(next_, upto);
        return true;
    }

private:
    std::uint64_t begin() const { return end_ - bytes_.size(); }
    std::uint64_t end_with_fin() const { return end_ + (has_fin_ ? 1U : 0U); }

    base::ByteQueue bytes_;           // those up to end_ that were not acknowledged
    std::uint64_t acknowledged_ = 0;  // SND.UNA
    std::uint64_t next_ = 0;          // SND.NXT
    std::uint64_t end_ = 0;
    std::uint64_t window_end_ = 0;
    bool has_fin_ = false;
};

class ReceiveQueue {
public:
    void start(std::uint64_t first) { next_ = window_end_ = first; }

    void append(Bytes bytes) {
        bytes_.append(bytes);
        next_ += bytes.size();
    }
    void count_fin() { ++next_; }
    std::size_t take(MutableBytes into) {
        const std::size_t count = std::min(into.size(), bytes_.size());
        if (count > 0) std::memcpy(into.data(), bytes_.view().data(), count);
        bytes_.consume(count);
        if (bytes_.empty()) bytes_.trim();
        return count;
    }
    void drop() {
        bytes_.consume(bytes_.size());
        bytes_.trim();
    }

    std::uint64_t next() const { return next_; }
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }

    // What may come, of `capacity`; what was promised once stays so.
    std::size_t promise(std::size_t capacity) {
        window_end_ = std::max<std::uint64_t>(window_end_, next_ + worthwhile_room(capacity));
        return window_end_ - next_;
    }
    // Is there so much more room than promised that the peer should hear of it at once?
    bool is_news(std::size_t capacity) const {
        const std::size_t room = worthwhile_room(capacity);
        return room != 0 && room >= 2 * (window_end_ - next_);
    }

private:
    static constexpr std::size_t kSegmentMax = 32768;

    // None rather than little, so that no peer sends in crumbs: RFC 9293, 3.8.6.2.2.
    std::size_t worthwhile_room(std::size_t capacity) const {
        const std::size_t room = capacity - std::min(capacity, bytes_.size());
        return room >= std::min(kSegmentMax, capacity / 2) ? room : 0;
    }

    base::ByteQueue bytes_;
    std::uint64_t next_ = 0;        // RCV.NXT
    std::uint64_t window_end_ = 0;  // as the peer knows it
};

}  // namespace berth::driver::sim
