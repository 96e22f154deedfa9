// SPDX-License-Identifier: MIT
//
// Traveller: a live connection on its way from one generation of a server to the next.
//
// The old loop makes it from an idle connection (ConnectionTable::export_idle), the new one opens
// a connection from it (ConnectionTable::import). `socket` is a duplicate: the old connection
// closes its own descriptor, and the peer notices nothing as long as one copy is open.
//
// Lifetime:  owns its socket, by hand: whoever drops a Traveller closes it.

#pragma once

#include "driver/descriptor.hpp"

#include <berth/buffer.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <optional>

namespace berth::net {

struct Traveller {
    static constexpr std::size_t kUnreadMax = 64U << 10U;  // more: it stays, and drains

    driver::Descriptor socket = driver::Descriptor::none;
    IpEndpoint peer;                    // family 0: Unix
    std::size_t listener = 0;           // index in the addresses of the generation it is in
    Buffer unread;                      // read from the kernel, not consumed by the handler
    Buffer state;                       // what on_export returned
    std::optional<Duration> idle_left;  // of Options::idle_timeout
};

}  // namespace berth::net
