// SPDX-License-Identifier: MIT
//
// Descriptors of this process, for tests: how many are open, and what happens without more.

#pragma once

#include <cstddef>
#include <vector>

namespace berth::test {

// Entries of /proc/self/fd, without the one that the look itself needs.
std::size_t open_descriptors();

// While it lives, this process may have so many descriptors beside those that are open (getrlimit).
class FewDescriptors {
public:
    explicit FewDescriptors(std::size_t more);
    ~FewDescriptors();
    FewDescriptors(const FewDescriptors&) = delete;
    FewDescriptors& operator=(const FewDescriptors&) = delete;

private:
    unsigned long limit_before_;
};

// While it lives, no call of this process gets a new descriptor: EMFILE. An accept that a ring was
// asked for before goes by the limit of then.
class DescriptorFamine {
    FewDescriptors none_{0};
};

// The same, for such an accept as well: all that the limit leaves are taken. For few.
class DescriptorGlut {
public:
    DescriptorGlut();
    ~DescriptorGlut();
    DescriptorGlut(const DescriptorGlut&) = delete;
    DescriptorGlut& operator=(const DescriptorGlut&) = delete;

private:
    std::vector<int> taken_;
};

}  // namespace berth::test
