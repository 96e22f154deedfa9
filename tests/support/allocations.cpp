// SPDX-License-Identifier: MIT
//
// Allocations: the counting operator new. The array form is here too, because AddressSanitizer's
// does not end up in the other one.
//
// Weak, because ThreadSanitizer brings operators of its own and cannot be without them: there
// nothing is counted, and a test that asks for zero allocations passes.

#include "support/allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t count = 0;

}  // namespace

[[gnu::weak]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    ++count;
    return std::malloc(bytes == 0 ? 1 : bytes);
}

[[gnu::weak]] void* operator new(std::size_t bytes) {
    if (void* const memory = operator new(bytes, std::nothrow)) return memory;
    throw std::bad_alloc{};
}

[[gnu::weak]] void* operator new[](std::size_t bytes) { return operator new(bytes); }

[[gnu::weak]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}

namespace berth::test {

std::size_t allocations_of_this_thread() { return count; }

}  // namespace berth::test
