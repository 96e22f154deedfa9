// SPDX-License-Identifier: MIT
//
// RawPort: sockets in every state that keeps an address from others, in plain system calls.
//
// Lifetime:  the descriptors are OwnedDescriptor; what the kernel keeps after them stays as long
//            as the kernel likes.
// Errors:    throw std::system_error when the kernel refuses what the test says.

#pragma once

#include "support/raw_socket.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace berth::test {

struct RawFlags {
    bool reuse_address = false;
    bool reuse_port = false;
    bool is_udp = false;
};

// Bound to 127.0.0.1 (or "0.0.0.0") and a port: 0 means any free one.
OwnedDescriptor bound(std::uint16_t port = 0, RawFlags flags = {},
                      const std::string& address = "127.0.0.1");
OwnedDescriptor listening(std::uint16_t port = 0, RawFlags flags = {},
                          const std::string& address = "127.0.0.1");
OwnedDescriptor bound_unix(const std::string& name);  // "@…" is abstract
void listen_on(const OwnedDescriptor& socket);

std::uint16_t port_of(const OwnedDescriptor& socket);
std::string address_of(const OwnedDescriptor& socket);  // tcp://127.0.0.1:PORT

// Connects to 127.0.0.1:port; `from`, if given, is bound and becomes the client.
OwnedDescriptor connected(std::uint16_t port, OwnedDescriptor from = OwnedDescriptor());
// The same without waiting for an answer for longer than a moment.
OwnedDescriptor connected_soon(std::uint16_t port, OwnedDescriptor from);
OwnedDescriptor accepted(const OwnedDescriptor& listener);

// Sends the descriptor into a socket that nobody reads, and closes it here: open, but in no
// process. It is gone with the pair that is returned.
std::pair<OwnedDescriptor, OwnedDescriptor> in_flight(OwnedDescriptor socket);

}  // namespace berth::test
