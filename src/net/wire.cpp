// SPDX-License-Identifier: MIT
//
// Wire: sealing, and what is gone.

#include "net/wire.hpp"

#include <algorithm>
#include <utility>

namespace berth::net {

OutputQueue* Wire::fill(const OutputQueue* plain) {
    collect();
    while (plain != nullptr && may_seal_more()) {
        const Bytes next = plain->from(sealed_);
        const Bytes record = next.first(std::min(next.size(), transport::kRecordMax));
        if (record.empty()) break;
        transport_->seal(record);
        collect();
        sealed_ += record.size();
        records_.push_back({.wire_end = produced_, .plain = record.size()});
    }
    return queue_.get();
}

bool Wire::may_seal_more() const {
    const std::size_t waiting = queue_ ? queue_->bytes() : 0;
    return waiting < kSealedMax && records_.size() < kRecordsMax && transport_->may_seal();
}

void Wire::collect() {
    for (Bytes wire = transport_->next_wire(); !wire.empty(); wire = transport_->next_wire()) {
        if (!queue_) queue_ = pool_.take_queue();
        queue_->append_copy(wire);
        produced_ += wire.size();
    }
}

std::size_t Wire::taken(std::size_t count) {
    taken_ += count;
    queue_->consume(count);
    if (queue_->empty()) pool_.give_back(std::move(queue_));
    const auto left = std::ranges::find_if(
        records_, [this](const Record& record) { return record.wire_end > taken_; });
    std::size_t plain = 0;
    for (auto gone = records_.begin(); gone != left; ++gone) plain += gone->plain;
    records_.erase(records_.begin(), left);
    sealed_ -= plain;
    return plain;
}

void Wire::say_goodbye() {
    if (!std::exchange(goodbye_said_, true)) transport_->say_goodbye();
}

}  // namespace berth::net
