// SPDX-License-Identifier: MIT
//
// SimSystem: each question of System, asked of the simulated kernel.

#include "driver/sim/sim_system.hpp"

#include "driver/sim/kernel.hpp"
#include "driver/sim/port_table.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace berth::driver::sim {

namespace {

Family family_of(const Endpoint& endpoint) {
    if (endpoint.is_unix()) return Family::local;
    return endpoint.ip().family == 6 ? Family::v6 : Family::v4;
}

Kind kind_of(const Endpoint& endpoint) {
    if (endpoint.scheme() == Scheme::unix_packet) return Kind::packet;
    return endpoint.is_stream() ? Kind::stream : Kind::datagram;
}

}  // namespace

Instant SimSystem::now() { return process_.kernel().now(); }

std::uint64_t SimSystem::random() { return process_.kernel().random(); }

Outcome<Descriptor> SimSystem::open_socket(const Endpoint& endpoint) {
    const Family family = family_of(endpoint);
    auto socket = process_.socket(family, kind_of(endpoint));
    if (!socket || family != Family::v6) return socket;

    const auto done = process_.set(*socket, SocketOption::v6_only, endpoint.is_v6_only() ? 1 : 0);
    if (done) return socket;
    process_.close(*socket);
    return base::failed(done.errno_value());
}

Outcome<void> SimSystem::bind(Descriptor socket, const Endpoint& endpoint) {
    return process_.bind(socket, endpoint);
}

Outcome<void> SimSystem::listen(Descriptor socket, int backlog) {
    return process_.listen(socket, backlog);
}

Outcome<Accepted> SimSystem::accept(Descriptor listener) { return process_.accept(listener); }

Outcome<void> SimSystem::set(Descriptor socket, SocketOption option, int value) {
    return process_.set(socket, option, value);
}

Outcome<Endpoint> SimSystem::local_endpoint(Descriptor socket, Scheme scheme) {
    return process_.local_endpoint(socket, scheme);
}

Outcome<Endpoint> SimSystem::peer_endpoint(Descriptor socket, Scheme scheme) {
    return process_.peer_endpoint(socket, scheme);
}

// ENOTCONN, its only error here, says that it has happened already.
void SimSystem::shutdown(Descriptor socket) {
    static_cast<void>(process_.shutdown(socket, Shut::both));
}

void SimSystem::close(Descriptor descriptor) { process_.close(descriptor); }

Outcome<std::size_t> SimSystem::unacknowledged(Descriptor socket) {
    return process_.unacknowledged(socket);
}

Outcome<std::size_t> SimSystem::never_sent(Descriptor socket) {
    return process_.never_sent(socket);
}

// ── Listeners that are about to close ────────────────────────────────────────────────────────

Outcome<void> SimSystem::drop_handshakes(Descriptor socket) {
    return process_.drop_handshakes(socket);
}

Outcome<void> SimSystem::drop_everything(Descriptor socket) {
    return process_.drop_everything(socket);
}

Outcome<void> SimSystem::remove_filter(Descriptor socket) { return process_.remove_filter(socket); }

Outcome<void> SimSystem::require_ttl(Descriptor socket, int least) {
    return process_.require_ttl(socket, least);
}

Outcome<void> SimSystem::connect(Descriptor socket, const Endpoint& endpoint) {
    return process_.connect(socket, endpoint);
}

// ── Seeing sockets ───────────────────────────────────────────────────────────────────────────

Outcome<std::vector<SocketRow>> SimSystem::sockets(Scheme scheme, std::uint16_t port,
                                                   SocketStates states) {
    return process_.sockets(scheme, port, states);
}

Outcome<std::vector<UnixRow>> SimSystem::unix_sockets(const std::string& name) {
    return process_.unix_sockets(name);
}

std::vector<SocketHolder> SimSystem::holders(std::span<const std::uint64_t> inodes) {
    return process_.holders(inodes);
}

std::int64_t SimSystem::process_id() { return process_.id(); }

std::uint32_t SimSystem::user_id() { return process_.identity().uid; }

std::string SimSystem::user_name(std::uint32_t uid) { return "user" + std::to_string(uid); }

PortRange SimSystem::ephemeral_ports() { return PortTable::kEphemeral; }

// One thread, whose number is the process's.
std::int64_t SimSystem::thread_id() { return process_.id(); }

// ── Descriptors that travel ──────────────────────────────────────────────────────────────────

Outcome<void> SimSystem::send_message(Descriptor socket, Bytes bytes,
                                      std::span<const Descriptor> attached) {
    return process_.send_message(socket, bytes, attached);
}

Outcome<Message> SimSystem::receive_message(Descriptor socket, MutableBytes into) {
    return process_.receive_message(socket, into);
}

// Of packets. What is too long for the room, or brings more than may come, is lost whole.
Outcome<ReceivedPart> SimSystem::receive_part(Descriptor socket, MutableBytes into,
                                              const Attached& attached) {
    const auto message = process_.receive_message(socket, into);
    if (message.errno_value() == EMSGSIZE) return ReceivedPart{.size = 1, .is_cut = true};
    if (!message) return base::failed(message.errno_value());
    ReceivedPart part{.size = message->size};
    for (const Descriptor descriptor : message->attached) {
        if (attached.attached.size() < attached.attached_max) {
            attached.attached.push_back(descriptor);
        } else {
            process_.close(descriptor);
            part.lost_attached = true;
        }
    }
    return part;
}

Outcome<std::size_t> SimSystem::send_part(Descriptor socket, Bytes bytes,
                                          std::span<const Descriptor> attached) {
    const auto sent = process_.send_message(socket, bytes, attached);
    if (!sent) return base::failed(sent.errno_value());
    return bytes.size();
}

Outcome<std::pair<Descriptor, Descriptor>> SimSystem::message_pair() {
    return process_.message_pair();
}

Outcome<PeerCredentials> SimSystem::peer_credentials(Descriptor socket) {
    return process_.peer_credentials(socket);
}

Outcome<Descriptor> SimSystem::duplicate(Descriptor descriptor) {
    return process_.duplicate(descriptor);
}

Outcome<std::uint64_t> SimSystem::inode(Descriptor descriptor) {
    return process_.inode(descriptor);
}

// ── Descriptors in reserve ───────────────────────────────────────────────────────────────────

Outcome<Descriptor> SimSystem::open_reserve() { return process_.open_nothing(); }

std::size_t SimSystem::descriptor_limit() { return process_.descriptors_max(); }

std::size_t SimSystem::descriptors_open() { return process_.descriptors_open(); }

// ── Unix paths ───────────────────────────────────────────────────────────────────────────────

Outcome<Descriptor> SimSystem::lock_directory_of(const std::string& path) {
    return process_.lock_directory_of(path);
}

Outcome<PathFacts> SimSystem::inspect(const std::string& path) { return process_.inspect(path); }

Outcome<bool> SimSystem::path_has_owner(const std::string& path) {
    return process_.path_has_owner(path);
}

Outcome<void> SimSystem::unlink(const std::string& path) { return process_.unlink(path); }

Outcome<void> SimSystem::rename(const std::string& from, const std::string& to) {
    return process_.rename(from, to);
}

Outcome<void> SimSystem::permit(const std::string& path, std::uint32_t) {
    return process_.permit(path);
}

}  // namespace berth::driver::sim
