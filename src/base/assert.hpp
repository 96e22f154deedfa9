// SPDX-License-Identifier: MIT
//
// Assertions: a promise that the code makes to itself, with the text of the rule.
//
// A broken promise (wrong thread, impossible state) is a defect, not an error: the process says
// which rule was broken and where, and aborts. BERTH_ASSERT stays on in release builds and is
// for checks that cost a compare; BERTH_DEBUG_ASSERT is for those on a hot path.
//
// Threads:   any.

#pragma once

#include <source_location>

namespace berth::base {

// Prints the rule and the place to stderr and aborts. Out of line and cold, so that a check
// costs its caller one compare and one branch that is never taken.
[[noreturn, gnu::cold, gnu::noinline]] void rule_broken(
    const char* rule, std::source_location where = std::source_location::current());

}  // namespace berth::base

#define BERTH_ASSERT(condition, rule) \
    (static_cast<bool>(condition) ? void() : ::berth::base::rule_broken(rule))

#ifdef NDEBUG
// Compiled but not evaluated: a check that no longer compiles is found in every build.
#define BERTH_DEBUG_ASSERT(condition, rule) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define BERTH_DEBUG_ASSERT(condition, rule) BERTH_ASSERT(condition, rule)
#endif
