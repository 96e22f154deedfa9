// SPDX-License-Identifier: MIT
//
// Conversation: one connection's requests and answers, without the connection.
//
// Requests are `size` bytes each, at most `depth` of them unanswered; the answer to a request is
// its own bytes. Knows what to send next, whether what came back is right, and how long each
// answer took.
//
// Lifetime:  as long as its connection; the pattern outlives it.
// Threads:   those of its connection.

#pragma once

#include "histogram.hpp"
#include "pattern.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace berth::app {

class Conversation {
public:
    struct Shape {
        std::size_t size = 1;   // bytes of a request
        std::size_t depth = 1;  // requests in flight
    };

    Conversation(const Pattern& pattern, std::uint64_t ordinal, Shape shape);

    bool may_ask() const { return unanswered() < asked_at_.size(); }
    // The bytes of the next request. Its latency counts from `intended`, which lies before now
    // when the request is late.
    Bytes ask(Instant intended);
    // Takes what came back. False: it is not what was sent, and the conversation is over.
    bool hear(Bytes received, Instant now, Histogram& latencies);

    std::uint64_t answered() const { return heard_bytes_ / size_; }
    std::uint64_t asked() const { return asked_; }
    std::uint64_t unanswered() const { return asked_ - answered(); }
    bool is_inside_answer() const { return heard_bytes_ % size_ != 0; }

private:
    const Pattern& pattern_;
    std::uint64_t ordinal_;
    std::size_t size_;
    std::uint64_t asked_ = 0;
    std::uint64_t heard_bytes_ = 0;
    std::vector<Instant> asked_at_;  // a ring: request i at i mod depth
};

}  // namespace berth::app
