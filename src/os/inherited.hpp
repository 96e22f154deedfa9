// SPDX-License-Identifier: MIT
//
// inherited: a descriptor that somebody else opened, looked at before it is trusted.
//
// Threads:   any thread.
// Errors:    an errno, as the man pages give it.
// See:       socket(7), sd_listen_fds(3).

#pragma once

#include "base/outcome.hpp"

#include <berth/endpoint.hpp>

#include <cstdint>

namespace berth::os {

enum class Inherited : std::uint8_t {
    listener,      // of streams or packets, and listens; or of datagrams, and has an address
    connection,    // a stream socket that does not listen
    other_socket,  // of another kind, or of a family that Endpoint does not know
    no_socket,     // a pipe, a file
    not_open,
};

Inherited kind_of_inherited(int descriptor);

// The address that a listener has, with the scheme that would have given it.
base::Outcome<Endpoint> inherited_endpoint(int listener);

// The scheme that would have dialled a socket: of streams, of Unix packets, or of datagrams.
// EINVAL: it listens; ESOCKTNOSUPPORT: of any other kind. Whether it is connected is not looked at.
base::Outcome<Scheme> scheme_of_connection(int descriptor);

// Non-blocking and close-on-exec, as every descriptor of ours. The first is also seen by whoever
// has the socket, too: O_NONBLOCK belongs to the open file description (fcntl(2)).
base::Outcome<void> make_ours(int descriptor);

}  // namespace berth::os
