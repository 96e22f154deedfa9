// SPDX-License-Identifier: MIT
//
// Held: what the kernel has handed over and the sink may not have yet: bytes above the budget, and
// those that were on their way when the stream was paused; then the end, if that has come.
//
// The receive is cancelled as soon as something is held, so it is what a few completions carry.
// It is copied: the kernel gets its buffers back.

#pragma once

#include "driver/driver.hpp"

#include <berth/bytes.hpp>

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

namespace berth::driver::uring {

class Held {
public:
    Bytes bytes() const { return Bytes(bytes_).subspan(given_); }
    void add(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    // Not while its first `count` bytes are lent.
    void drop(std::size_t count) { given_ += count; }

    // An errno, or 0 for a FIN; nothing: it has not come.
    std::optional<int> end;

private:
    std::vector<std::byte> bytes_;
    std::size_t given_ = 0;
};

// By stream; few have anything.
using HeldByStream = std::unordered_map<const Stream*, Held>;

}  // namespace berth::driver::uring
