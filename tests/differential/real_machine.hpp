// SPDX-License-Identifier: MIT
//
// RealMachine: the kernel that runs this, through the calls that berth itself makes (os/calls.hpp)
// and a few plain ones that only a test needs.
//
// TCP sockets get congestion control "reno" and no Nagle, so that nothing waits for a timer:
// bbr paces even on loopback. settle() makes delayed ACKs leave now (TCP_QUICKACK).

#pragma once

#include "differential/machine.hpp"

#include <cstddef>
#include <set>
#include <string>

namespace berth::differential {

class RealMachine final : public Machine {
public:
    RealMachine() = default;
    ~RealMachine() override;

    Outcome<Descriptor> socket(Family family, Kind kind) override;
    Outcome<void> set(Descriptor socket, SocketOption option, int value) override;
    Outcome<void> bind(Descriptor socket, const Endpoint& endpoint) override;
    Outcome<void> listen(Descriptor socket, int backlog) override;
    Outcome<void> connect(Descriptor socket, const Endpoint& endpoint) override;
    Outcome<Accepted> accept(Descriptor listener) override;
    Outcome<std::size_t> send(Descriptor socket, Bytes bytes) override;
    Outcome<std::size_t> receive(Descriptor socket, MutableBytes into) override;
    Outcome<std::size_t> send_to(Descriptor socket, const Endpoint& endpoint, Bytes bytes) override;
    Outcome<Datagram> receive_from(Descriptor socket, MutableBytes into) override;
    Outcome<void> shutdown(Descriptor socket, Shut what) override;
    void close(Descriptor socket) override;

    int take_error(Descriptor socket) override;
    Outcome<Endpoint> local_endpoint(Descriptor socket, Scheme scheme) override;
    Outcome<Endpoint> peer_endpoint(Descriptor socket, Scheme scheme) override;
    Outcome<std::size_t> unacknowledged(Descriptor socket) override;
    Outcome<std::size_t> never_sent(Descriptor socket) override;
    Readiness readiness(Descriptor socket) override;

    Outcome<PathFacts> inspect(const std::string& path) override;
    Outcome<bool> path_has_owner(const std::string& path) override;
    Outcome<void> unlink(const std::string& path) override;

    bool settle() override;

private:
    std::set<int> open_;
    std::set<std::string> paths_;
};

}  // namespace berth::differential
