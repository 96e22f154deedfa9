// SPDX-License-Identifier: MIT
//
// DatagramCarrier: what carries a connection whose messages are datagrams: a connected socket of
// its own (datagram_link.hpp), or a peer's share of a listener's (datagram_session.hpp).
//
// Each datagram is one on_traffic, each write one datagram; nothing is queued for a peer. The
// connection has no room for any of this; its table keeps the carriers of the few that have one.
//
// Lifetime:  from the connection's beginning to the end of the batch in which it was reaped.
// Threads:   the loop's.

#pragma once

#include "net/time_limits.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

namespace berth::net {

class DatagramCarrier {
public:
    DatagramCarrier() = default;
    DatagramCarrier(const DatagramCarrier&) = delete;
    DatagramCarrier& operator=(const DatagramCarrier&) = delete;
    virtual ~DatagramCarrier() = default;

    // An errno, or 0: it was taken.
    virtual int send(Bytes bytes) = 0;
    // What was taken and not sent leaves now.
    virtual void flush() {}
    virtual void pause() = 0;
    virtual void resume() = 0;
    // ConnectionCore::on_closed follows, never from inside.
    virtual void close() = 0;

    virtual const TimeLimits& limits() const = 0;
    // The address of ours that its peer writes to, without the port; family 0: it does not say.
    virtual IpEndpoint local() const { return {}; }
};

}  // namespace berth::net
