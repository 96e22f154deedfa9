// SPDX-License-Identifier: MIT
//
// Host: what the connections of a loop ask of the engine around them.
//
// Threads:   called on the loop's.

#pragma once

#include "net/turn.hpp"

#include <berth/connection_id.hpp>
#include <berth/endpoint.hpp>
#include <berth/resolver.hpp>

#include <cstddef>
#include <string_view>

namespace berth::net {

class Host {
public:
    // Action::shutdown.
    virtual void stop_requested_by_handler() = 0;
    // A user's callback threw; `what` is the exception's text.
    virtual void handler_threw(Callback callback, std::string_view what) = 0;
    // A connection's descriptor is closed: one more may be accepted.
    virtual void connection_reaped() = 0;
    // The same, of one that held a place (Seat::held).
    virtual void place_left(std::size_t listener, const IpEndpoint& peer) = 0;
    // The same, of a session (Seat::session).
    virtual void session_left(std::size_t listener) = 0;
    // A connection is gone with requests that were still being worked on.
    virtual void busy_connection_gone(ConnectionId id) = 0;
    // The loop's last connection that is not lingering has sent its FIN.
    virtual void drain_progress() = 0;
    // The bound address of a listener, by its index.
    virtual const Endpoint& listening_on(std::size_t index) const = 0;
    // A dial asks for the addresses of a name: ConnectionTable::resolved follows, in another batch,
    // and before it may resolved_early.
    virtual void resolve(ConnectionId dial, NameQuery&& query) = 0;

protected:
    ~Host() = default;
};

}  // namespace berth::net
