// SPDX-License-Identifier: MIT
//
// uring: the three system calls of io_uring(7), the memory that it shares with the kernel, and the
// names of its interface.
//
// Threads:   any; who may enter a ring is the ring's own rule (IORING_SETUP_SINGLE_ISSUER).
// Errors:    an errno, as the man page of the call gives it.
// See:       io_uring_setup(2), io_uring_enter(2), io_uring_register(2).

#pragma once

#include "base/outcome.hpp"
#include "os/raw_call.hpp"
#include "os/returns.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace berth::os {

using base::Outcome;

using RingParameters = io_uring_params;
Outcome<int> open_ring(std::uint32_t entries, RingParameters& parameters);
// What it returns depends on `what`.
Outcome<int> register_with_ring(int ring, std::uint32_t what, const void* argument,
                                std::uint32_t count);

// Submits, without waiting and without completing anything: how many were submitted, or a
// negative errno.
inline long submit_to_ring(int ring, std::uint32_t count) {
    return raw_call(Call::ring_enter, ring, count, 0, 0, nullptr, 0);
}

// Submits, completes what is ready, and waits for one completion, as long as it takes. How many
// were submitted, or a negative errno.
inline long wait_for_ring(int ring, std::uint32_t count) {
    return raw_call(Call::ring_enter, ring, count, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
}

// Submits, completes what is ready, and waits for one completion, `timeout` at most; kNever: as
// long as it takes. How many were submitted, or a negative errno; -ETIME and -EINTR are ends of
// the wait.
BERTH_RETURNS_BY_JUMP long enter_ring(int ring, std::uint32_t count, Duration timeout);

// Pages that are unmapped with the object.
class Mapping {
public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Mapping();

    // Fresh memory; no page of it is there before it is touched.
    static Outcome<Mapping> fresh(std::size_t size);
    // What a ring offers at `offset`, shared with the kernel.
    static Outcome<Mapping> of_ring(int ring, std::size_t size, std::uint64_t offset);

    std::byte* data() const { return bytes_.data(); }
    std::size_t size() const { return bytes_.size(); }

private:
    explicit Mapping(MutableBytes bytes) : bytes_(bytes) {}
    static Outcome<Mapping> map(std::size_t size, int flags, int descriptor, std::uint64_t offset);

    MutableBytes bytes_;
};

}  // namespace berth::os
