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
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

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

    Outcome<void> drop_handshakes(Descriptor socket) override;
    Outcome<void> drop_everything(Descriptor socket) override;
    Outcome<void> remove_filter(Descriptor socket) override;
    Outcome<void> require_ttl(Descriptor socket, int least) override;
    Outcome<void> connect(Descriptor socket, const Endpoint& endpoint) override;

    Outcome<std::vector<SocketRow>> sockets(Scheme scheme, std::uint16_t port,
                                            SocketStates states) override;
    Outcome<std::vector<UnixRow>> unix_sockets(const std::string& name) override;
    std::vector<SocketHolder> holders(std::span<const std::uint64_t> inodes) override;
    std::int64_t process_id() override;
    std::uint32_t user_id() override;
    std::string user_name(std::uint32_t uid) override;
    PortRange ephemeral_ports() override;
    std::int64_t thread_id() override;

    Outcome<void> send_message(Descriptor socket, Bytes bytes,
                               std::span<const Descriptor> attached) override;
    Outcome<Message> receive_message(Descriptor socket, MutableBytes into) override;
    Outcome<ReceivedPart> receive_part(Descriptor socket, MutableBytes into,
                                       const Attached& attached) override;
    Outcome<std::size_t> send_part(Descriptor socket, Bytes bytes,
                                   std::span<const Descriptor> attached) override;
    Outcome<std::pair<Descriptor, Descriptor>> message_pair() override;
    Outcome<PeerCredentials> peer_credentials(Descriptor socket) override;
    Outcome<Descriptor> duplicate(Descriptor descriptor) override;
    Outcome<std::uint64_t> inode(Descriptor descriptor) override;

    Outcome<Descriptor> open_reserve() override;
    std::size_t descriptor_limit() override;
    std::size_t descriptors_open() override;

    Outcome<Descriptor> lock_directory_of(const std::string& path) override;
    Outcome<PathFacts> inspect(const std::string& path) override;
    Outcome<bool> path_has_owner(const std::string& path) override;
    Outcome<void> unlink(const std::string& path) override;
    Outcome<void> rename(const std::string& from, const std::string& to) override;
    Outcome<void> permit(const std::string& path, std::uint32_t mode) override;

private:
    Process& process_;
};

}  // namespace berth::driver::sim
