// SPDX-License-Identifier: MIT
//
// UnixNames: the names that Unix sockets are bound to, and what else lies in the file system.
//
// A path stays when its socket is gone, until unlink(2); an abstract name goes with its socket.
// Every directory that a path names exists, and holds nothing but sockets.
//
// Lifetime:  outlives the sockets.
// Threads:   one.
// See:       unix(7), flock(2).

#pragma once

#include "base/outcome.hpp"
#include "driver/system.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace berth::driver::sim {

using base::Outcome;

class UnixSocket;

class UnixNames {
public:
    // Null: a path that nobody stands behind. ENOENT; ECONNREFUSED for an abstract name.
    Outcome<UnixSocket*> find(const std::string& name) const;
    bool contains(const std::string& name) const { return nodes_.contains(name); }
    // EADDRINUSE. The name must be one: name_error.
    Outcome<void> bind(const std::string& name, UnixSocket& socket);
    // The socket is gone. What it was bound to may be elsewhere by now, or another's.
    void leave(const UnixSocket& socket);

    PathFacts inspect(const std::string& path) const;
    // What a socket was bound to, if that is still anywhere.
    PathFacts file_of(const UnixSocket& socket) const;
    Outcome<void> unlink(const std::string& path);
    // Replaces what is at `to`. The socket goes on telling the name that it was bound to.
    Outcome<void> rename(const std::string& from, const std::string& to);

    bool lock(const std::string& directory) { return locked_.insert(directory).second; }
    void unlock(const std::string& directory) { locked_.erase(directory); }

private:
    struct Node {
        UnixSocket* owner = nullptr;
        std::uint64_t inode = 0;
    };

    std::map<std::string, Node>::const_iterator node_of(const UnixSocket& socket) const;

    std::map<std::string, Node> nodes_;
    std::set<std::string> locked_;
    std::uint64_t inode_last_ = 0;
};

// ENAMETOOLONG, or EINVAL for what is not a name. 0: fine.
int name_error(const std::string& name);

}  // namespace berth::driver::sim
