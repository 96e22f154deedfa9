// SPDX-License-Identifier: MIT
//
// waiting_clients: how many accepts of a turn will find somebody.
//
// To accept until the kernel says EAGAIN is one accept too many, and not a cheap one: the kernel
// makes a socket, a file and an inode before it looks whether there is a client, and takes them
// apart again. Where connections come one at a time, that is every second accept.
//
// See:       tcp(7), TCP_INFO; docs/internals/performance.md

#pragma once

#include "driver/driver.hpp"
#include "os/calls.hpp"

#include <cstddef>
#include <limits>

namespace berth::driver {

inline constexpr std::size_t kUntilRefused = std::numeric_limits<std::size_t>::max();

// Of a listener that became readable; who comes after the call makes it so once more. Unix
// listeners do not tell, and some sandboxes always say 0: neither loses anybody.
inline std::size_t waiting_clients(Listener& listener) {
    if (!listener.tells_waiting) return kUntilRefused;
    const long count = os::count_waiting(number(listener.descriptor));
    listener.tells_waiting = count >= 0;
    return count > 0 ? static_cast<std::size_t>(count) : kUntilRefused;
}

}  // namespace berth::driver
