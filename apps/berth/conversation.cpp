// SPDX-License-Identifier: MIT
//
// Conversation: positions in a stream of equal requests.

#include "conversation.hpp"

#include "histogram.hpp"
#include "pattern.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <cstdint>

namespace berth::app {

Conversation::Conversation(const Pattern& pattern, std::uint64_t ordinal, Shape shape)
    : pattern_(pattern), ordinal_(ordinal), size_(shape.size), asked_at_(shape.depth) {}

Bytes Conversation::ask(Instant intended) {
    asked_at_[asked_ % asked_at_.size()] = intended;
    return pattern_.at(ordinal_, asked_++ * size_, size_);
}

bool Conversation::hear(Bytes received, Instant now, Histogram& latencies) {
    const bool was_asked_for = heard_bytes_ + received.size() <= asked_ * size_;
    if (!was_asked_for || !pattern_.matches(ordinal_, heard_bytes_, received)) return false;
    const std::uint64_t answered_before = answered();
    heard_bytes_ += received.size();
    for (std::uint64_t request = answered_before; request < answered(); ++request) {
        latencies.record(now - asked_at_[request % asked_at_.size()]);
    }
    return true;
}

}  // namespace berth::app
