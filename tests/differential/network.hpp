// SPDX-License-Identifier: MIT
//
// Network: a network namespace of this process's own, with nothing in it but loopback.
//
// There the ports of a run and their TIME_WAIT rows are its own, and go with it.
//
// Threads:   only in a process of one thread, unshare(2).

#pragma once

namespace berth::differential {

// False: not permitted here, and the process stays where it is.
bool enter_fresh_network();

}  // namespace berth::differential
