// SPDX-License-Identifier: MIT
//
// Descriptors of this process, for tests: how many are open, and what happens without more.

#pragma once

#include <cstddef>

namespace berth::test {

// Entries of /proc/self/fd, without the one that the look itself needs.
std::size_t open_descriptors();

// While it lives, no call of this process gets a new descriptor: EMFILE (getrlimit(2)).
class DescriptorFamine {
public:
    DescriptorFamine();
    ~DescriptorFamine();
    DescriptorFamine(const DescriptorFamine&) = delete;
    DescriptorFamine& operator=(const DescriptorFamine&) = delete;

private:
    unsigned long limit_before_;
};

}  // namespace berth::test
