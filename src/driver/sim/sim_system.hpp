// SPDX-License-Identifier: MIT
//
// SimSystem: the System of one process in a simulated kernel.
//
// The simulated kernel always has IPv6, so that a dual-stack endpoint is always served by one
// IPv6 socket with IPV6_V6ONLY off.
//
// Lifetime:  the process outlives it.
// Threads:   that of the kernel.

#pragma once

#include "driver/sim/process.hpp"
#include "driver/system.hpp"

namespace berth::driver::sim {

class SimSystem final : public System {
public:
    explicit SimSystem(Process& process) : process_(process) {}

    Instant now() override;
    std::uint64_t random() override;

    Outcome<Descriptor> open_socket(const Endpoint& endpoint) override;
    Outcome<void> bind(Descriptor socket, const Endpoint& endpoint) override;
    Outcome<void> listen(Descriptor socket, int backlog) override;
    Outcome<Accepted> accept(Descriptor listener) override;
    Outcome<void> set(Descriptor socket, SocketOption option, int value) override;
    Outcome<Endpoint> local_endpoint(Descriptor socket, Scheme scheme) override;
    Outcome<Endpoint> peer_endpoint(Descriptor socket, Scheme scheme) override;
    void shutdown(Descriptor socket) override;
    void close(Descriptor descriptor) override;
    Outcome<std::size_t> unacknowledged(Descriptor socket) override;
    Outcome<std::size_t> never_sent(Descriptor socket) override;

    Outcome<Descriptor> open_reserve() override;
    std::size_t descriptor_limit() override;
    std::size_t descriptors_open() override;

    Outcome<Descriptor> lock_directory_of(const std::string& path) override;
    Outcome<PathFacts> inspect(const std::string& path) override;
    Outcome<bool> path_has_owner(const std::string& path) override;
    Outcome<void> unlink(const std::string& path) override;

private:
    Process& process_;
};

}  // namespace berth::driver::sim
