// SPDX-License-Identifier: MIT
//
// BERTH_RETURNS_BY_JUMP: for functions of the message path above a system call.
//
// On some machines a `ret` that goes back beyond a system call makes the kernel slower, in that
// call and in those that follow, by a quarter of their time: seen on AMD EPYC (Zen 4) where the
// kernel makes its own returns safe. A jump to the same place does not, for two instructions more.
//
// Not where return addresses are kept twice (CET, -fcf-protection): there it would be a violation.
// Nor where whoever stands in between is the user's: a handler cannot be asked for it, and need
// not, since it is not above the calls of an echo.
//
// See:       docs/decisions/0017-returns.md; bench/return_cost.cpp measures it

#pragma once

#if defined(__x86_64__) && !defined(__CET__) && __has_cpp_attribute(gnu::function_return)
#define BERTH_RETURNS_BY_JUMP [[gnu::function_return("thunk-extern")]]

// What the compiler calls in place of `ret`; once in a program, and anybody's own goes first. r11
// is nobody's where a function returns.
asm(R"(
    .pushsection .text.__x86_return_thunk, "axG", @progbits, __x86_return_thunk, comdat
    .weak __x86_return_thunk
    .hidden __x86_return_thunk
    .type __x86_return_thunk, @function
__x86_return_thunk:
    .cfi_startproc
    pop %r11
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %r11
    jmp *%r11
    .cfi_endproc
    .size __x86_return_thunk, . - __x86_return_thunk
    .popsection
)");
#else
#define BERTH_RETURNS_BY_JUMP
#endif
