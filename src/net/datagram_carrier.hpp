// SPDX-License-Identifier: MIT
//
// DatagramCarrier: what carries a connection whose messages are datagrams: a connected socket of
// its own (datagram_link.hpp), or a peer's share of a listener's (datagram_session.hpp).
//
// Each datagram is one on_traffic, each write one datagram; nothing is queued for a peer.
//
// Lifetime:  Link's.
// Threads:   the loop's.

#pragma once

#include "net/link.hpp"
#include "net/time_limits.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

namespace berth::net {

class DatagramCarrier : public Link {
public:
    bool keeps_bounds() const final { return true; }

    // An errno, or 0: it was taken.
    virtual int send(Bytes bytes) = 0;
    // What was taken and not sent leaves now.
    virtual void flush() {}

    virtual const TimeLimits& limits() const = 0;
    // The address of ours that its peer writes to, without the port; family 0: it does not say.
    virtual IpEndpoint local() const { return {}; }
};

}  // namespace berth::net
