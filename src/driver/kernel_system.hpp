// SPDX-License-Identifier: MIT
//
// KernelSystem: the System of the real kernel, shared by all real drivers.
//
// An address of `tcp://` or `udp://` that means everybody is served by one IPv6 socket with
// IPV6_V6ONLY off. On a kernel without IPv6 open_socket makes an IPv4 socket instead; bind sees
// that by the socket's family and binds 0.0.0.0, which local_endpoint then shows.
//
// Lifetime:  of the process.
// Threads:   any thread; it has no state.
// See:       system.hpp for what each call promises, os/calls.hpp.

#pragma once

#include "driver/descriptor.hpp"
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

namespace berth::driver {

class KernelSystem final : public System {
public:
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
    Outcome<void> bind_to_any_name(Descriptor socket) override;

    Outcome<std::uint32_t> interface_index(const std::string& name) override;
    Outcome<void> join_group(Descriptor socket, const IpEndpoint& group,
                             std::uint32_t interface) override;
    Outcome<void> leave_group(Descriptor socket, const IpEndpoint& group,
                              std::uint32_t interface) override;
    Outcome<void> bind_to_device(Descriptor socket, const std::string& name) override;

    Outcome<std::vector<SocketRow>> sockets(Scheme scheme, std::uint16_t port,
                                            SocketStates states) override;
    Outcome<std::vector<UnixRow>> unix_sockets(const std::string& name) override;
    std::vector<SocketHolder> holders(std::span<const std::uint64_t> inodes) override;
    std::int64_t process_id() override;
    std::uint32_t user_id() override;
    std::string user_name(std::uint32_t uid) override;
    PortRange ephemeral_ports() override;
    std::int64_t thread_id() override;
    void let_others_run() override;
    Outcome<void> name_thread(const std::string& name) override;
    Outcome<void> pin_thread(std::size_t nth) override;

    Outcome<void> send_message(Descriptor socket, Bytes bytes,
                               std::span<const Descriptor> attached) override;
    Outcome<Message> receive_message(Descriptor socket, MutableBytes into) override;
    Outcome<ReceivedPart> receive_part(Descriptor socket, MutableBytes into,
                                       const Attached& attached) override;
    Outcome<std::size_t> send_part(Descriptor socket, Bytes bytes,
                                   std::span<const Descriptor> attached) override;
    Outcome<std::size_t> packet_max(Descriptor socket) override;
    Outcome<std::pair<Descriptor, Descriptor>> message_pair() override;
    Outcome<PeerCredentials> peer_credentials(Descriptor socket) override;
    Outcome<Descriptor> duplicate(Descriptor descriptor) override;
    Outcome<std::size_t> send_file(Descriptor socket, const FilePiece& piece) override;
    Outcome<std::size_t> read_file(Descriptor file, MutableBytes into,
                                   std::uint64_t offset) override;
    Outcome<PipeEnds> open_pipe() override;
    Outcome<Spliced> splice(const SpliceWay& way, std::size_t count) override;
    Outcome<std::size_t> read_pipe(Descriptor reader, MutableBytes into) override;
    Outcome<Endpoint> adopt(Descriptor socket) override;
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
    // kernel_system_networks.cpp
    static Outcome<void> set_datagram_option(Descriptor socket, SocketOption option, int value);
};

KernelSystem& kernel_system();

}  // namespace berth::driver
