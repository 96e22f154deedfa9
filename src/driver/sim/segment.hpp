// SPDX-License-Identifier: MIT
//
// Segment: what TCP ends send to each other.
//
// Sequence numbers are wide and begin where no connection began before: none wraps, and a late
// segment of an earlier connection fits no later one. The wire loses nothing. What an end drops
// because nobody may queue it yet is asked for again by `gap`, which stands for the repeated
// acknowledgements and the timeouts of the real protocol.
//
// See:       tcp(7), RFC 9293.

#pragma once

#include "driver/sim/place.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace berth::driver::sim {

struct Segment {
    Place from;
    Place to;
    std::uint64_t sequence = 0;
    std::uint64_t acknowledged = 0;  // if `ack`: what is expected next
    std::size_t window = 0;          // if `ack`: how much may be sent from there
    bool syn = false;
    bool ack = false;
    bool fin = false;
    bool rst = false;
    bool gap = false;  // if `ack`: send again from there
    std::vector<std::byte> bytes;

    std::uint64_t length() const { return bytes.size() + (syn ? 1U : 0U) + (fin ? 1U : 0U); }
    std::uint64_t end() const { return sequence + length(); }
};

// The RST that answers a segment which nobody wants.
inline Segment refusal_of(const Segment& segment) {
    Segment answer{.from = segment.to, .to = segment.from, .bytes = {}};
    answer.rst = true;
    if (segment.ack) {
        answer.sequence = segment.acknowledged;
    } else {
        answer.ack = true;
        answer.acknowledged = segment.end();
    }
    return answer;
}

}  // namespace berth::driver::sim
