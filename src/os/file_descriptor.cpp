// SPDX-License-Identifier: MIT
//
// FileDescriptor: closing.

#include <berth/file_descriptor.hpp>

#include "os/calls.hpp"

namespace berth {

void FileDescriptor::reset(int number) {
    const int before = std::exchange(number_, number);
    if (before >= 0) os::close(before);
}

}  // namespace berth
