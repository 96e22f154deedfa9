// SPDX-License-Identifier: MIT
//
// uring: the calls of a ring that are not on the path of a message, and its mappings.

#include "os/uring.hpp"

#include "base/outcome.hpp"
#include "os/call_outcome.hpp"
#include "os/raw_call.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): _NSIG is POSIX, not C++
#include <sys/mman.h>

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace berth::os {

Outcome<int> open_ring(std::uint32_t entries, RingParameters& parameters) {
    return outcome<int>(raw_call(Call::ring_setup, entries, &parameters));
}

Outcome<int> register_with_ring(int ring, std::uint32_t what, const void* argument,
                                std::uint32_t count) {
    return outcome<int>(raw_call(Call::ring_register, ring, what, argument, count));
}

long enter_ring(int ring, std::uint32_t count, Duration timeout) {
    constexpr std::uint32_t kFlags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    const bool waits = timeout > Duration::zero();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
    const __kernel_timespec time{.tv_sec = seconds.count(), .tv_nsec = (timeout - seconds).count()};
    io_uring_getevents_arg argument{};
    argument.sigmask_sz = _NSIG / 8;
    if (waits && timeout != kNever) argument.ts = std::bit_cast<std::uintptr_t>(&time);
    return raw_call(Call::ring_enter, ring, count, waits ? 1 : 0, kFlags, &argument,
                    sizeof argument);
}

Mapping::~Mapping() {
    if (!bytes_.empty()) raw_call(Call::unmap, bytes_.data(), bytes_.size());
}

Outcome<Mapping> Mapping::map(std::size_t size, int flags, int descriptor, std::uint64_t offset) {
    const long result =
        raw_call(Call::map, nullptr, size, PROT_READ | PROT_WRITE, flags, descriptor, offset);
    if (result < 0 && result > -4096) return base::failed(static_cast<int>(-result));
    return Mapping(MutableBytes(std::bit_cast<std::byte*>(result), size));
}

Outcome<Mapping> Mapping::fresh(std::size_t size) {
    return map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

Outcome<Mapping> Mapping::of_ring(int ring, std::size_t size, std::uint64_t offset) {
    return map(size, MAP_SHARED | MAP_POPULATE, ring, offset);
}

}  // namespace berth::os
