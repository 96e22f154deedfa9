// SPDX-License-Identifier: MIT
//
// Allocations: how often this thread has called operator new, for "this never allocates".
//
// A program that uses it gets a counting operator new; malloc(3) itself is not watched.

#pragma once

#include <cstddef>

namespace berth::test {

std::size_t allocations_of_this_thread();

}  // namespace berth::test
