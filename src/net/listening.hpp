// SPDX-License-Identifier: MIT
//
// Listening: opening an address, with all its shards, or none of it.
//
// Exclusive start: the first socket binds without SO_REUSEPORT, so that a second server on the
// same address is refused; only then is the option set, and the further shards join it. A Unix
// path that a dead server left behind is replaced; anything else at the path is not ours and is
// left alone.
//
// See:       socket(7), unix(7); docs/decisions/0004-exclusive-start.md.

#pragma once

#include "driver/system.hpp"

#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace berth::net {

struct ListenPlan {
    std::size_t shards = 1;  // Unix addresses have one in any case
    int backlog = 0;
    bool no_delay = true;
};

// A bound and listening address.
//
// Lifetime:  owns its sockets until they are taken, and its path until released.
class Listening {
public:
    static Result<Listening> open(driver::System& system, const Endpoint& endpoint,
                                  const ListenPlan& plan);
    Listening(Listening&& other) noexcept;
    Listening& operator=(Listening&&) = delete;
    ~Listening();

    const Endpoint& endpoint() const { return endpoint_; }  // the real one: port 0 is resolved
    std::size_t shard_count() const { return sockets_.size(); }
    // The caller closes it.
    driver::Descriptor take_socket(std::size_t shard);
    // Removes our Unix path, if it is still ours. After the sockets are closed.
    void release_path();

private:
    Listening(driver::System& system, Endpoint endpoint)
        : system_(&system), endpoint_(std::move(endpoint)) {}

    Result<void> add_shard(const ListenPlan& plan, bool joins);
    Result<void> prepare_to_bind(driver::Descriptor socket, bool joins);
    Result<void> prepare_to_listen(driver::Descriptor socket, const ListenPlan& plan);
    Result<void> set(driver::Descriptor socket, driver::SocketOption option);
    Result<void> bind(driver::Descriptor socket);
    Result<void> bind_path(driver::Descriptor socket);
    Result<void> clear_stale_path();
    Error failed(const char* operation, int errno_value) const;

    driver::System* system_;
    Endpoint endpoint_;
    std::vector<driver::Descriptor> sockets_;
    driver::PathFacts path_;  // what we bound, to know it again
};

// Could a fresh socket with the same options take this address now? Binds one and closes it;
// nothing ever listens, so no client can meet it.
base::Outcome<void> try_bind(driver::System& system, const Endpoint& endpoint);

}  // namespace berth::net
