// SPDX-License-Identifier: MIT
//
// Allocations: the counting operator new. The other forms of new and delete end up here.

#include "support/allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t count = 0;

}  // namespace

void* operator new(std::size_t bytes) {
    ++count;
    if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
    throw std::bad_alloc{};
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace berth::test {

std::size_t allocations_of_this_thread() { return count; }

}  // namespace berth::test
