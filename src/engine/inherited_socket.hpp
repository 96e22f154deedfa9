// SPDX-License-Identifier: MIT
//
// InheritedSocket: a listening socket that this process was born with, and where it belongs.
//
// Its queue belongs to whoever gave it: a listener made of it is closed without being emptied or
// shut down, and clients wait there for the next server.
//
// Lifetime:  the engine that takes it closes the descriptor, also when the start fails.
// See:       sd_listen_fds(3).

#pragma once

#include "driver/descriptor.hpp"

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <span>
#include <string>
#include <vector>

namespace berth::engine {

struct InheritedSocket {
    Endpoint endpoint;  // the real one, as getsockname(2) tells it
    driver::Descriptor descriptor = driver::Descriptor::none;
    std::string name;  // of LISTEN_FDNAMES; may be empty
};

// An address to serve, and the inherited sockets that are bound to it; none: it is opened.
struct AddressPlan {
    Endpoint asked;
    std::vector<driver::Descriptor> sockets;
};

// Is a socket at `real` what binding `asked` would have made?
bool is_bound_as(const Endpoint& real, const Endpoint& asked);

// Who asks for nothing gets every inherited address, in the order of inheriting. Else a socket
// that no address names is an error: the giver expects it to be served.
Result<std::vector<AddressPlan>> plan_addresses(std::span<const Endpoint> asked,
                                                std::span<const InheritedSocket> inherited);

}  // namespace berth::engine
