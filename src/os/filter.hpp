// SPDX-License-Identifier: MIT
//
// filter: which packets may reach a socket.
//
// Classic BPF: small programs that the kernel checks and runs for each packet. A socket accepted
// while its listener has a filter inherits it. The bound on the TTL is a filter of another kind:
// the kernel applies it to what the listener itself receives, which are the beginnings of
// connections, and needs no privilege for it.
//
// Threads:   any thread.
// Errors:    EPERM where the kernel wants CAP_NET_ADMIN, ENOMEM beyond net.core.optmem_max.
// See:       socket(7), SO_ATTACH_FILTER; ip(7), IP_MINTTL; the kernel's
//            Documentation/networking/filter.rst.

#pragma once

#include "base/outcome.hpp"

namespace berth::os {

// For TCP: drops each segment that would begin a connection.
base::Outcome<void> drop_handshakes(int socket);
base::Outcome<void> drop_everything(int socket);
// ENOENT: there is none.
base::Outcome<void> remove_filter(int socket);

// What comes with a lower TTL, or hop limit, is dropped. 0: nothing is.
base::Outcome<void> require_ttl(int socket, int least);

}  // namespace berth::os
