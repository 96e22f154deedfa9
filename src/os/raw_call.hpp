// SPDX-License-Identifier: MIT
//
// raw_call: one system call, made inline. Returns what the kernel returns: negative errno.
//
// glibc's wrappers of recv, send and epoll_wait are cancellation points, which cost about 95
// instructions per echoed message as soon as the process has a second thread; syscall(2) costs 25.
// The other calls are made the same way, so that there is one way out and one gate on it. errno is
// neither read nor written, so that raw calls may be made in a signal handler.
//
// See:       syscall(2) for the registers, signal-safety(7); tests/faults for who keeps the gate.

#pragma once

#include "os/call.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <optional>
#include <type_traits>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <unistd.h>

#include <cerrno>
#endif

namespace berth::os {

// What goes into a register.
template <class T>
long register_word(T value) {
    if constexpr (std::is_convertible_v<T, const void*>) {
        return std::bit_cast<long>(static_cast<const void*>(value));
    } else {
        return static_cast<long>(value);
    }
}

using Registers = std::array<long, 6>;

// ── The gate ─────────────────────────────────────────────────────────────────────────────────

#if defined(BERTH_FAULTS)
inline constexpr bool kGated = true;
#else
inline constexpr bool kGated = false;
#endif

// Asked before each call of a gated build; whoever links one defines it. An answer is the call's
// result, and the call is not made. It may change what is in the registers.
std::optional<long> gate(Call call, Registers& registers);

// ── The call ─────────────────────────────────────────────────────────────────────────────────

#if defined(__x86_64__)

// The sixth register is loaded only for a call that names it: otherwise the kernel does not look at
// it, and the compiler may keep something there across the call.
template <std::size_t Named>
long raw_call_with(long call, const Registers& registers) {
    long result = call;
    register long r10 asm("r10") = registers[3];
    register long r8 asm("r8") = registers[4];
    if constexpr (Named < 6) {
        asm volatile("syscall"
                     : "+a"(result)
                     : "D"(registers[0]), "S"(registers[1]), "d"(registers[2]), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
        return result;
    }
    register long r9 asm("r9") = registers[5];
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(registers[0]), "S"(registers[1]), "d"(registers[2]), "r"(r10), "r"(r8),
                   "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

template <std::size_t Named>
long raw_call_with(long call, const Registers& registers) {
    register long x8 asm("x8") = call;
    register long x0 asm("x0") = registers[0];
    register long x1 asm("x1") = registers[1];
    register long x2 asm("x2") = registers[2];
    register long x3 asm("x3") = registers[3];
    register long x4 asm("x4") = registers[4];
    register long x5 asm("x5") = registers[5];
    asm volatile("svc #0"
                 : "+r"(x0)
                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                 : "memory");
    return x0;
}

#else

template <std::size_t Named>
long raw_call_with(long call, const Registers& registers) {
    const int kept = errno;
    const long result = ::syscall(call, registers[0], registers[1], registers[2], registers[3],
                                  registers[4], registers[5]);
    const long answer = result == -1 ? -static_cast<long>(errno) : result;
    errno = kept;
    return answer;
}

#endif

// Registers that the call does not name hold 0 at the gate.
template <class... Values>
long raw_call(Call call, Values... values) {
    Registers registers{register_word(values)...};
    if constexpr (kGated) {
        if (const auto answer = gate(call, registers)) return *answer;
    }
    return raw_call_with<sizeof...(Values)>(static_cast<long>(call), registers);
}

}  // namespace berth::os
