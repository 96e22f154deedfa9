// SPDX-License-Identifier: MIT
//
// Peer, PeerListener: the scripted other end of a stream, in the real kernel or a simulated one.
//
// No call waits: who needs something that is not there yet lets its world advance and looks again.

#pragma once

#include <berth/endpoint.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace berth::test {

// How the stream towards a peer stands, once everything before has been read.
enum class Ended { not_yet, by_fin, by_reset };

class Peer {
public:
    virtual ~Peer() = default;

    virtual std::size_t send_now(std::string_view bytes) = 0;  // what the kernel takes
    virtual std::string read_now() = 0;                        // all that has arrived
    virtual Ended ended() const = 0;                           // as the last read found it
    virtual void end() = 0;                                    // FIN; still reads
    virtual void reset() = 0;  // RST (a Unix socket has none: there it is a close)
    virtual void close() = 0;
    virtual IpEndpoint address() const = 0;  // its own; family 0: Unix
};

class PeerListener {
public:
    virtual ~PeerListener() = default;

    virtual const Endpoint& endpoint() const = 0;
    virtual std::unique_ptr<Peer> accept_now() = 0;  // null: nobody waits
    virtual void close() = 0;
};

}  // namespace berth::test
