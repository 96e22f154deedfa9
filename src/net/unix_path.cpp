// SPDX-License-Identifier: MIT
//
// UnixPath: binding, replacing, removing, each under the lock of the directory.

#include "net/unix_path.hpp"

#include "net/directory_lock.hpp"
#include "net/listen_error.hpp"

#include <cerrno>
#include <string>
#include <utility>

namespace berth::net {

using driver::PathFacts;

Result<void> UnixPath::bind(driver::System& system, driver::Descriptor socket,
                            const Endpoint& endpoint) {
    const std::string& path = endpoint.name();
    const auto lock = DirectoryLock::take(system, path);
    if (!lock) return fail(listen_error("lock directory", lock.errno_value(), endpoint));

    const auto try_to_bind = [&] { return system.bind(socket, endpoint).errno_value(); };
    int refused = try_to_bind();
    if (refused == EADDRINUSE) {
        auto cleared = clear_stale(system, endpoint);
        if (!cleared) return cleared;
        refused = try_to_bind();
    }
    if (refused != 0) return fail(listen_error("bind", refused, endpoint));
    const auto facts = system.inspect(path);
    if (!facts) {  // without them it could not be told from another's later
        static_cast<void>(system.unlink(path));
        return fail(listen_error("lstat", facts.errno_value(), endpoint));
    }
    ours_ = *facts;
    return {};
}

// Only a socket with nobody behind it is removed.
Result<void> UnixPath::clear_stale(driver::System& system, const Endpoint& endpoint) {
    const std::string& path = endpoint.name();
    const auto facts = system.inspect(path);
    if (!facts) return fail(listen_error("lstat", facts.errno_value(), endpoint));
    if (facts->kind == PathFacts::Kind::missing) return {};
    if (facts->kind != PathFacts::Kind::socket) {
        return fail(Error(ErrorCode::path_conflict, "bind")
                        .at(endpoint.to_string())
                        .because("the path holds something that is not a socket")
                        .fix("remove it if it is not needed, or choose another path"));
    }
    const auto owned = system.path_has_owner(path);
    if (!owned) return fail(listen_error("connect", owned.errno_value(), endpoint));
    if (*owned) {
        return fail(listen_error("bind", EADDRINUSE, endpoint)
                        .because("a live server owns the socket at this path"));
    }
    const auto removed = system.unlink(path);
    if (!removed && removed.errno_value() != ENOENT) {
        return fail(listen_error("unlink", removed.errno_value(), endpoint));
    }
    return {};
}

void UnixPath::take_over(driver::System& system, const Endpoint& endpoint) {
    const auto facts = system.inspect(endpoint.name());
    if (facts && facts->kind == PathFacts::Kind::socket) ours_ = *facts;
}

void UnixPath::remove(driver::System& system, const Endpoint& endpoint) {
    if (ours_.kind != PathFacts::Kind::socket) return;
    const auto lock = DirectoryLock::take(system, endpoint.name());
    if (!lock) return;  // no descriptor left for it: there is another time
    const PathFacts ours = std::exchange(ours_, {});
    const auto there = system.inspect(endpoint.name());
    if (there && *there == ours) static_cast<void>(system.unlink(endpoint.name()));
}

}  // namespace berth::net
