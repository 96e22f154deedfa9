// SPDX-License-Identifier: MIT
//
// Machine: the calls that a process makes about sockets; a real kernel's or the simulated one's.
//
// The words are those of the simulated process (driver/sim/process.hpp), which are the man pages'.
// Sockets are non-blocking.
//
// Lifetime:  its end closes every descriptor that it gave and removes every path it bound.
// Threads:   one.
// Errors:    an errno, as the man page of the call gives it.

#pragma once

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/sim/process.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <string>

namespace berth::differential {

using base::Outcome;
using driver::Accepted;
using driver::Descriptor;
using driver::PathFacts;
using driver::SocketOption;
using driver::sim::Datagram;
using driver::sim::Family;
using driver::sim::Kind;
using driver::sim::Readiness;
using driver::sim::Shut;

class Machine {
public:
    Machine() = default;
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    virtual ~Machine() = default;

    // ── Sockets ──────────────────────────────────────────────────────────────────────────────
    virtual Outcome<Descriptor> socket(Family family, Kind kind) = 0;
    virtual Outcome<void> set(Descriptor socket, SocketOption option, int value) = 0;
    virtual Outcome<void> bind(Descriptor socket, const Endpoint& endpoint) = 0;
    virtual Outcome<void> listen(Descriptor socket, int backlog) = 0;
    virtual Outcome<void> connect(Descriptor socket, const Endpoint& endpoint) = 0;
    virtual Outcome<Accepted> accept(Descriptor listener) = 0;
    virtual Outcome<std::size_t> send(Descriptor socket, Bytes bytes) = 0;
    virtual Outcome<std::size_t> receive(Descriptor socket, MutableBytes into) = 0;
    virtual Outcome<std::size_t> send_to(Descriptor socket, const Endpoint& endpoint,
                                         Bytes bytes) = 0;
    virtual Outcome<Datagram> receive_from(Descriptor socket, MutableBytes into) = 0;
    virtual Outcome<void> shutdown(Descriptor socket, Shut what) = 0;
    virtual void close(Descriptor socket) = 0;

    // ── Questions ────────────────────────────────────────────────────────────────────────────
    virtual int take_error(Descriptor socket) = 0;
    virtual Outcome<Endpoint> local_endpoint(Descriptor socket, Scheme scheme) = 0;
    virtual Outcome<Endpoint> peer_endpoint(Descriptor socket, Scheme scheme) = 0;
    virtual Outcome<std::size_t> unacknowledged(Descriptor socket) = 0;
    virtual Outcome<std::size_t> never_sent(Descriptor socket) = 0;
    virtual Readiness readiness(Descriptor socket) = 0;

    // ── Unix paths ───────────────────────────────────────────────────────────────────────────
    virtual Outcome<PathFacts> inspect(const std::string& path) = 0;
    virtual Outcome<bool> path_has_owner(const std::string& path) = 0;
    virtual Outcome<void> unlink(const std::string& path) = 0;

    // Lets what is on its way arrive. False: this machine does that inside each call.
    virtual bool settle() = 0;
};

}  // namespace berth::differential
