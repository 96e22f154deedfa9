// SPDX-License-Identifier: MIT
//
// KernelSystem: each question of System, asked of os/.

#include "driver/kernel_system.hpp"

#include "base/outcome.hpp"
#include "driver/descriptor.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/cpus.hpp"
#include "os/directory.hpp"
#include "os/filter.hpp"
#include "os/inherited.hpp"
#include "os/machine.hpp"
#include "os/message.hpp"
#include "os/owned_descriptor.hpp"
#include "os/process.hpp"
#include "os/sock_diag.hpp"
#include "os/socket_address.hpp"
#include "os/zero_copy.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace berth::driver {

namespace {

Outcome<Descriptor> as_descriptor(const Outcome<int>& opened) {
    if (!opened) return base::failed(opened.errno_value());
    return Descriptor{*opened};
}

Outcome<Endpoint> as_endpoint(const Outcome<os::SocketAddress>& address, Scheme scheme) {
    if (!address) return base::failed(address.errno_value());
    return address->endpoint(scheme);
}

Outcome<int> socket_for(const Endpoint& endpoint) {
    return os::open_socket(os::socket_family(endpoint), os::socket_type(endpoint.scheme()));
}

bool is_dual_stack(const Endpoint& endpoint) {
    return endpoint.is_wildcard() && endpoint.ip().family == 6 && !endpoint.is_v6_only();
}

// What a dual-stack endpoint becomes on a kernel without IPv6.
Endpoint v4_part(const Endpoint& endpoint) {
    return {endpoint.scheme(), IpEndpoint{.port = endpoint.port(), .family = 4}};
}

Endpoint fitted_to(int socket, const Endpoint& endpoint) {
    if (!is_dual_stack(endpoint)) return endpoint;
    const bool is_v6 =
        os::option(socket, os::kSocketFamily).value_or(0) == os::socket_family(endpoint);
    return is_v6 ? endpoint : v4_part(endpoint);
}

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────

// The kernel keeps handshakes under one state and shows them as the other.
std::uint32_t kernel_states(SocketStates states) {
    const bool has_handshakes = states.has(SocketState::syn_received);
    const auto more = SocketStates::of({SocketState::new_syn_received});
    return states.bits | (has_handshakes ? more.bits : 0);
}

// A TCP socket that is listed as closed is bound and nothing else.
SocketState state_of(const os::InetRow& row, Scheme scheme) {
    const auto state = static_cast<SocketState>(row.state);
    const bool is_udp = Endpoint{scheme, IpEndpoint{}}.is_udp();
    return state == SocketState::closed && !is_udp ? SocketState::bound_inactive : state;
}

SocketRow as_row(const os::InetRow& row, Scheme scheme) {
    return {
        .state = state_of(row, scheme),
        .local = row.local,
        .peer = row.peer,
        .is_v6_only = row.is_v6_only,
        .uid = row.uid,
        .inode = row.inode,
        .receive_queue = row.receive_queue,
        .send_queue = row.send_queue,
        .timer = row.timer,
    };
}

UnixRow as_unix_row(const os::UnixSocketRow& row) {
    return {
        .name = row.name,
        .is_listening = row.is_listening,
        .type = row.type,
        .inode = row.inode,
        .uid = row.uid,
        .file_device = row.file_device,
        .file_inode = row.file_inode,
    };
}

SocketHolder as_holder(const os::Holder& holder) {
    return {
        .pid = holder.pid,
        .parent = holder.process.parent,
        .fd = holder.fd,
        .inode = holder.inode,
        .uid = holder.uid,
        .command = holder.process.command,
        .executable = holder.executable,
        .since = holder.since,
    };
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Instant KernelSystem::now() { return {os::monotonic_time()}; }

// The kernel refuses only before its pool has been seeded, early at boot.
std::uint64_t KernelSystem::random() {
    return os::random_number().value_or(static_cast<std::uint64_t>(os::monotonic_time().count()));
}

Outcome<Descriptor> KernelSystem::open_socket(const Endpoint& endpoint) {
    const auto opened = socket_for(endpoint);
    if (opened.errno_value() == EAFNOSUPPORT && is_dual_stack(endpoint)) {
        return as_descriptor(socket_for(v4_part(endpoint)));
    }
    if (!opened || endpoint.ip().family != 6) return as_descriptor(opened);

    // Said in both cases: /proc/sys/net/ipv6/bindv6only may have changed the default.
    os::OwnedDescriptor socket{*opened};
    const auto set = os::set_option(socket.number(), os::kV6Only, endpoint.is_v6_only());
    if (!set) return base::failed(set.errno_value());
    return Descriptor{socket.release()};
}

Outcome<void> KernelSystem::bind(Descriptor socket, const Endpoint& endpoint) {
    const auto address = os::SocketAddress::of(fitted_to(number(socket), endpoint));
    if (!address) return base::failed(address.errno_value());
    return os::bind(number(socket), *address);
}

Outcome<void> KernelSystem::listen(Descriptor socket, int backlog) {
    return os::listen(number(socket), backlog);
}

Outcome<Accepted> KernelSystem::accept(Descriptor listener) {
    os::SocketAddress peer;
    const long accepted = os::accept_socket(number(listener), peer);
    if (accepted < 0) return base::failed(static_cast<int>(-accepted));
    return Accepted{.descriptor = Descriptor{static_cast<int>(accepted)}, .peer = peer.ip()};
}

Outcome<void> KernelSystem::set(Descriptor socket, SocketOption option, int value) {
    const auto set_as = [&](os::OptionName name) {
        return os::set_option(number(socket), name, value);
    };
    switch (option) {
        case SocketOption::reuse_address: return set_as(os::kReuseAddress);
        case SocketOption::reuse_port: return set_as(os::kReusePort);
        case SocketOption::v6_only: return set_as(os::kV6Only);
        case SocketOption::no_delay: return set_as(os::kNoDelay);
        case SocketOption::linger_reset: return os::set_linger(number(socket), value);
        case SocketOption::receive_buffer: return set_as(os::kReceiveBuffer);
        case SocketOption::send_buffer: return set_as(os::kSendBuffer);
        case SocketOption::not_sent_low: return set_as(os::kNotSentLow);
        case SocketOption::user_timeout: return set_as(os::kUserTimeout);
        case SocketOption::orphan_timeout: return set_as(os::kOrphanTimeout);
        case SocketOption::late_port: return set_as(os::kLatePort);
        case SocketOption::keep_alive: return set_as(os::kKeepAlive);
        case SocketOption::keep_idle: return set_as(os::kKeepIdle);
        case SocketOption::keep_interval: return set_as(os::kKeepInterval);
        case SocketOption::keep_count: return set_as(os::kKeepCount);
        default: return set_datagram_option(socket, option, value);
    }
}

Outcome<Endpoint> KernelSystem::local_endpoint(Descriptor socket, Scheme scheme) {
    return as_endpoint(os::local_address(number(socket)), scheme);
}

Outcome<Endpoint> KernelSystem::peer_endpoint(Descriptor socket, Scheme scheme) {
    return as_endpoint(os::peer_address(number(socket)), scheme);
}

// ENOTCONN, its only error here, says that it has happened already.
void KernelSystem::shutdown(Descriptor socket) {
    static_cast<void>(os::shutdown(number(socket), os::Shutdown::both));
}

void KernelSystem::close(Descriptor descriptor) { os::close(number(descriptor)); }

Outcome<std::size_t> KernelSystem::unacknowledged(Descriptor socket) {
    return os::unacknowledged_bytes(number(socket));
}

Outcome<std::size_t> KernelSystem::never_sent(Descriptor socket) {
    return os::never_sent_bytes(number(socket));
}

// ── Listeners that are about to close ────────────────────────────────────────────────────────

Outcome<void> KernelSystem::drop_handshakes(Descriptor socket) {
    return os::drop_handshakes(number(socket));
}

Outcome<void> KernelSystem::drop_everything(Descriptor socket) {
    return os::drop_everything(number(socket));
}

Outcome<void> KernelSystem::remove_filter(Descriptor socket) {
    return os::remove_filter(number(socket));
}

Outcome<void> KernelSystem::require_ttl(Descriptor socket, int least) {
    return os::require_ttl(number(socket), least);
}

Outcome<void> KernelSystem::connect(Descriptor socket, const Endpoint& endpoint) {
    const auto address = os::SocketAddress::of(fitted_to(number(socket), endpoint));
    if (!address) return base::failed(address.errno_value());
    return os::connect(number(socket), *address);
}

Outcome<void> KernelSystem::bind_to_any_name(Descriptor socket) {
    return os::bind(number(socket), os::SocketAddress::of_any_unix_name());
}

// ── Seeing sockets ───────────────────────────────────────────────────────────────────────────

Outcome<std::vector<SocketRow>> KernelSystem::sockets(Scheme scheme, std::uint16_t port,
                                                      SocketStates states) {
    const auto listed =
        os::inet_sockets({.scheme = scheme, .port = port, .states = kernel_states(states)});
    if (!listed) return base::failed(listed.errno_value());
    std::vector<SocketRow> rows;
    for (const os::InetRow& row : *listed) {
        const SocketRow seen = as_row(row, scheme);
        if (states.has(seen.state)) rows.push_back(seen);
    }
    return rows;
}

Outcome<std::vector<UnixRow>> KernelSystem::unix_sockets(const std::string& name) {
    const auto listed = os::unix_sockets(name);
    if (!listed) return base::failed(listed.errno_value());
    std::vector<UnixRow> rows;
    std::ranges::transform(*listed, std::back_inserter(rows), &as_unix_row);
    return rows;
}

std::vector<SocketHolder> KernelSystem::holders(std::span<const std::uint64_t> inodes) {
    std::vector<SocketHolder> holders;
    std::ranges::transform(os::holders_of(inodes), std::back_inserter(holders), &as_holder);
    return holders;
}

std::int64_t KernelSystem::process_id() { return os::process_id(); }

std::uint32_t KernelSystem::user_id() { return os::user_id(); }

std::string KernelSystem::user_name(std::uint32_t uid) { return os::user_name(uid); }

PortRange KernelSystem::ephemeral_ports() {
    const auto range = os::ephemeral_ports();
    if (!range) return {};
    return {.first = range->first, .last = range->last};
}

std::int64_t KernelSystem::thread_id() { return os::thread_id(); }

void KernelSystem::let_others_run() { std::this_thread::yield(); }

Outcome<void> KernelSystem::name_thread(const std::string& name) { return os::name_thread(name); }

Outcome<void> KernelSystem::pin_thread(std::size_t nth) { return os::pin_thread(nth); }

// ── Descriptors that travel ──────────────────────────────────────────────────────────────────

Outcome<void> KernelSystem::send_message(Descriptor socket, Bytes bytes,
                                         std::span<const Descriptor> attached) {
    std::vector<int> numbers(attached.size());
    std::ranges::transform(attached, numbers.begin(), &number);
    return os::send_message(number(socket), bytes, numbers);
}

Outcome<Message> KernelSystem::receive_message(Descriptor socket, MutableBytes into) {
    const auto received = os::receive_message(number(socket), into);
    if (!received) return base::failed(received.errno_value());
    Message message{.size = received->size, .attached = {}};
    for (const int descriptor : received->attached) {
        message.attached.push_back(Descriptor{descriptor});
    }
    return message;
}

Outcome<ReceivedPart> KernelSystem::receive_part(Descriptor socket, MutableBytes into,
                                                 const Attached& attached) {
    std::vector<int> came;
    const auto part = os::receive_part(number(socket), into, attached.attached_max, came);
    if (!part) return base::failed(part.errno_value());
    for (const int descriptor : came) attached.attached.push_back(Descriptor{descriptor});
    return ReceivedPart{
        .size = part->size, .is_cut = part->is_cut, .lost_attached = part->lost_attached};
}

Outcome<std::size_t> KernelSystem::send_part(Descriptor socket, Bytes bytes,
                                             std::span<const Descriptor> attached) {
    std::vector<int> numbers(attached.size());
    std::ranges::transform(attached, numbers.begin(), &number);
    return os::send_part(number(socket), bytes, numbers);
}

Outcome<std::size_t> KernelSystem::packet_max(Descriptor socket) {
    return os::packet_max(number(socket));
}

Outcome<std::pair<Descriptor, Descriptor>> KernelSystem::message_pair() {
    const auto pair = os::message_pair();
    if (!pair) return base::failed(pair.errno_value());
    return std::pair{Descriptor{pair->first}, Descriptor{pair->second}};
}

Outcome<PeerCredentials> KernelSystem::peer_credentials(Descriptor socket) {
    const auto peer = os::peer_credentials(number(socket));
    if (!peer) return base::failed(peer.errno_value());
    return PeerCredentials{.pid = peer->pid, .uid = peer->uid, .gid = peer->gid};
}

Outcome<Descriptor> KernelSystem::duplicate(Descriptor descriptor) {
    return as_descriptor(os::duplicate(number(descriptor)));
}

Outcome<std::size_t> KernelSystem::send_file(Descriptor socket, const FilePiece& piece) {
    return os::send_file(number(socket), number(piece.file), piece.offset, piece.count);
}

Outcome<std::size_t> KernelSystem::read_file(Descriptor file, MutableBytes into,
                                             std::uint64_t offset) {
    return os::read_at(number(file), into, offset);
}

Outcome<PipeEnds> KernelSystem::open_pipe() {
    const auto ends = os::open_pipe();
    if (!ends) return base::failed(ends.errno_value());
    return PipeEnds{.reader = Descriptor{ends->reader}, .writer = Descriptor{ends->writer}};
}

Outcome<Spliced> KernelSystem::splice(const SpliceWay& way, std::size_t count) {
    const auto moved = os::splice_through({.from = number(way.from),
                                           .reader = number(way.pipe.reader),
                                           .writer = number(way.pipe.writer),
                                           .to = number(way.to)},
                                          count);
    if (!moved) return base::failed(moved.errno_value());
    return Spliced{.taken = moved->taken, .sent = moved->sent, .send_errno = moved->send_errno};
}

Outcome<std::size_t> KernelSystem::read_pipe(Descriptor reader, MutableBytes into) {
    return os::read_now(number(reader), into);
}

Outcome<Endpoint> KernelSystem::adopt(Descriptor socket) {
    const auto scheme = os::scheme_of_connection(number(socket));
    if (!scheme) return base::failed(scheme.errno_value());
    auto peer = peer_endpoint(socket, *scheme);
    if (!peer) return peer;
    if (const auto made = os::make_ours(number(socket)); !made) {
        return base::failed(made.errno_value());
    }
    return peer;
}

Outcome<std::uint64_t> KernelSystem::inode(Descriptor descriptor) {
    return os::inode_of(number(descriptor));
}

// ── Descriptors in reserve ───────────────────────────────────────────────────────────────────

Outcome<Descriptor> KernelSystem::open_reserve() { return as_descriptor(os::open_eventfd()); }

std::size_t KernelSystem::descriptor_limit() { return os::descriptor_limit(); }

std::size_t KernelSystem::descriptors_open() { return os::count_open_descriptors().value_or(0); }

// ── Unix paths ───────────────────────────────────────────────────────────────────────────────

Outcome<Descriptor> KernelSystem::lock_directory_of(const std::string& path) {
    const auto opened = os::open_directory(directory_of(path));
    if (!opened) return as_descriptor(opened);
    os::OwnedDescriptor directory{*opened};
    const auto locked = os::lock_exclusively(directory.number());
    if (!locked) return base::failed(locked.errno_value());
    return Descriptor{directory.release()};
}

Outcome<PathFacts> KernelSystem::inspect(const std::string& path) {
    const auto facts = os::file_facts(path);
    if (facts.errno_value() == ENOENT) return PathFacts{};
    if (!facts) return base::failed(facts.errno_value());
    return PathFacts{
        .kind = facts->is_socket ? PathFacts::Kind::socket : PathFacts::Kind::other,
        .device = facts->device,
        .inode = facts->inode,
    };
}

// A datagram socket cannot enter the accept queue of a stream listener, so that asking is
// invisible to it. A datagram socket as owner takes the connect, or refuses it with EPERM when
// it is itself connected to someone else; neither delivers anything to it.
Outcome<bool> KernelSystem::path_has_owner(const std::string& path) {
    const Endpoint endpoint{Scheme::unix_datagram, path};
    const auto address = os::SocketAddress::of(endpoint);
    if (!address) return base::failed(address.errno_value());
    const auto opened = socket_for(endpoint);
    if (!opened) return base::failed(opened.errno_value());

    const os::OwnedDescriptor probe{*opened};
    const int answer = os::connect(probe.number(), *address).errno_value();
    if (answer == 0 || answer == EPROTOTYPE || answer == EPERM) return true;
    if (answer == ECONNREFUSED) return false;
    return base::failed(answer);
}

Outcome<void> KernelSystem::unlink(const std::string& path) { return os::unlink(path); }

Outcome<void> KernelSystem::rename(const std::string& from, const std::string& to) {
    return os::rename(from, to);
}

Outcome<void> KernelSystem::permit(const std::string& path, std::uint32_t mode) {
    return os::permit(path, mode);
}

KernelSystem& kernel_system() {
    static KernelSystem system;
    return system;
}

}  // namespace berth::driver
