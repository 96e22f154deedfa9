// SPDX-License-Identifier: MIT
//
// A system call of a test itself that fails: the test cannot go on.

#pragma once

#include <system_error>

namespace berth::test {

[[noreturn]] inline void refuse(int errno_value, const char* call) {
    throw std::system_error(errno_value, std::generic_category(), call);
}

}  // namespace berth::test
