// SPDX-License-Identifier: MIT
//
// Link: what carries a connection that the driver does not carry as a stream.
//
// The connection has no room for any of this; its table keeps the links of the few that have one.
//
// Lifetime:  from the connection's beginning to the end of the batch in which it was reaped.
// Threads:   the loop's.

#pragma once

#include <berth/endpoint.hpp>

#include <cstddef>

namespace berth::net {

class MessageLink;

class Link {
public:
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    virtual ~Link() = default;

    // What its addresses are printed with.
    virtual Scheme scheme() const = 0;
    // Is what a handler leaves unread of a message dropped?
    virtual bool keeps_bounds() const = 0;
    // Bytes that wait here for the kernel to take them.
    virtual std::size_t queued() const { return 0; }
    // Did a budget end its last turn, so that more is certain to be there?
    virtual bool is_put_off() const { return false; }
    // Null: one of datagrams, where nobody says goodbye and nothing waits.
    virtual MessageLink* as_messages() { return nullptr; }

    virtual void pause() = 0;
    virtual void resume() = 0;
    // Closes the socket, if it has one; ConnectionCore::on_closed follows, never from inside.
    virtual void close() = 0;
};

}  // namespace berth::net
