// SPDX-License-Identifier: MIT
//
// UnixPath: the name that a Unix listener has in the file system.
//
// A path that a dead server left behind is replaced; anything else there is not ours and is left
// alone. What we bound is known by device and inode, and only that is ever removed.
//
// Lifetime:  the path stays until remove(), which the owner calls.
// Threads:   one at a time.
// See:       unix(7); docs/decisions/0006-unix-paths.md.

#pragma once

#include "driver/system.hpp"

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

namespace berth::net {

class UnixPath {
public:
    // Binds `socket` to the path of `endpoint`.
    Result<void> bind(driver::System& system, driver::Descriptor socket, const Endpoint& endpoint);
    // The socket that is there now, bound by a generation before us, is ours from now on.
    void take_over(driver::System& system, const Endpoint& endpoint);
    // Only if it is still ours. Who connects from now on is told that nothing is there; who has
    // connected is not concerned.
    void remove(driver::System& system, const Endpoint& endpoint);

private:
    Result<void> clear_stale(driver::System& system, const Endpoint& endpoint);

    driver::PathFacts ours_;
};

}  // namespace berth::net
