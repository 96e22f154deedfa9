// SPDX-License-Identifier: MIT
//
// reset: the end of a stream that must not look complete, as the kernel's drivers begin it.
//
// A close alone would come too late: over io_uring the socket lives until the kernel has given back
// what was asked of it, and sends on until then to a peer that makes room; and where a child has a
// copy of it, close(2) ends nothing.
//
// See:       connect(2) about AF_UNSPEC, socket(7) about SO_LINGER.

#pragma once

#include "driver/driver.hpp"
#include "os/calls.hpp"

namespace berth::driver {

// Where there are no resets (Unix), or the kernel refuses, the close says what it can.
inline void reset(Descriptor stream) {
    const int socket = number(stream);
    if (!os::disconnect(socket)) static_cast<void>(os::set_linger(socket, 0));
}

}  // namespace berth::driver
