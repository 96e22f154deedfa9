// SPDX-License-Identifier: MIT
//
// accept_errors: which errors of accept(2) are about one client, and which about us.
//
// See:       accept(2), "Error handling".

#pragma once

#include <cerrno>

namespace berth::driver {

// True: nobody can be accepted for now, or ever; trying again at once would spin. False: one
// client went while it was queued, or was forbidden; the next may be fine.
constexpr bool ends_accepting(int errno_value) {
    switch (errno_value) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EBADF:
        case EINVAL:  // shut down under us, shutdown(2)
            return true;
        default: return false;
    }
}

}  // namespace berth::driver
