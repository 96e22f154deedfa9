// SPDX-License-Identifier: MIT
//
// Activation: the listening sockets that a service manager opened for this process.
//
// They are descriptors 3, 4 and so on, LISTEN_FDS of them, and named by LISTEN_FDNAMES. Each is
// looked at: what is not a listening stream socket is an error, because a server that ignored it
// would serve less than its unit says. Nothing is closed but by who takes the sockets.
//
// Threads:   no shared state.
// Errors:    Error::detail names the variable or the descriptor, and its remedy the unit's line.
// See:       sd_listen_fds(3), systemd.socket(5).

#pragma once

#include "engine/inherited_socket.hpp"
#include "service/variables.hpp"

#include <berth/result.hpp>

#include <span>
#include <string>
#include <vector>

namespace berth::service {

inline constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START

// The name of a listener that an earlier run of this server had the manager keep (FDSTORE).
inline constexpr const char* kKeptName = "berth-kept";

// What the variables promise: a name per descriptor, in order. Empty: nothing for this process.
Result<std::vector<std::string>> inherited_names(const Variables& variables);

// The sockets themselves, non-blocking and close-on-exec from now on.
Result<std::vector<engine::InheritedSocket>> inherited_sockets(const Variables& variables);

// A kept listener that the server does not name any more is closed: its address has changed.
void close_outdated(std::vector<engine::InheritedSocket>& sockets,
                    std::span<const std::string> addresses);

}  // namespace berth::service
