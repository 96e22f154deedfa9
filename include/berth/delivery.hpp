// SPDX-License-Identifier: MIT
//
// Delivery: how something that was sent to a connection ended.

#pragma once

#include <berth/connection_id.hpp>
#include <berth/function.hpp>

#include <cstdint>

namespace berth {

enum class Delivery : std::uint8_t {
    written,            // write, send_file: the kernel took every byte
    ran,                // post, wake, close: done on the loop
    stale,              // the connection was gone, or went before the kernel took every byte
    cancelled_by_stop,  // the engine stopped first
};

// Runs exactly once, on the connection's loop, if and only if the call that took it said so.
using Completion = UniqueFunction<void(ConnectionId, Delivery)>;

}  // namespace berth
