// SPDX-License-Identifier: MIT
//
// Descriptors: /proc/self/fd and RLIMIT_NOFILE.

#include "support/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace berth::test {
namespace {

[[noreturn]] void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// open(2) gives the lowest free number: as a limit it leaves none below it.
rlim_t lowest_free_descriptor() {
    const int free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (free < 0) throw_errno("open /dev/null");
    ::close(free);
    return static_cast<rlim_t>(free);
}

void set_soft_limit(rlim_t soft) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("getrlimit");
    limit.rlim_cur = soft;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("setrlimit");
}

rlim_t soft_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("getrlimit");
    return limit.rlim_cur;
}

}  // namespace

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator entries{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries))) - 1;
}

FewDescriptors::FewDescriptors(std::size_t more) : limit_before_(soft_limit()) {
    set_soft_limit(lowest_free_descriptor() + more);
}

FewDescriptors::~FewDescriptors() { set_soft_limit(limit_before_); }

DescriptorGlut::DescriptorGlut() {
    for (;;) {
        const int taken = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (taken < 0) break;
        taken_.push_back(taken);
    }
    if (errno != EMFILE) throw_errno("open /dev/null");
}

DescriptorGlut::~DescriptorGlut() {
    for (const int each : taken_) ::close(each);
}

}  // namespace berth::test
