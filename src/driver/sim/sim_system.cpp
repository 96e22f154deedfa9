// SPDX-License-Identifier: MIT
//
// SimSystem: each question of System, asked of the simulated kernel.

#include "driver/sim/sim_system.hpp"

#include "driver/sim/kernel.hpp"

#include <cerrno>

namespace berth::driver::sim {

namespace {

Family family_of(const Endpoint& endpoint) {
    if (endpoint.is_unix()) return Family::local;
    return endpoint.ip().family == 6 ? Family::v6 : Family::v4;
}

}  // namespace

Instant SimSystem::now() { return process_.kernel().now(); }

std::uint64_t SimSystem::random() { return process_.kernel().random(); }

Outcome<Descriptor> SimSystem::open_socket(const Endpoint& endpoint) {
    if (endpoint.scheme() == Scheme::unix_packet) return base::failed(EPROTONOSUPPORT);
    const Family family = family_of(endpoint);
    auto socket = process_.socket(family, endpoint.is_stream() ? Kind::stream : Kind::datagram);
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

Outcome<Descriptor> SimSystem::open_reserve() { return process_.open_nothing(); }

std::size_t SimSystem::descriptor_limit() { return process_.descriptors_max(); }

std::size_t SimSystem::descriptors_open() { return process_.descriptors_open(); }

Outcome<Descriptor> SimSystem::lock_directory_of(const std::string& path) {
    return process_.lock_directory_of(path);
}

Outcome<PathFacts> SimSystem::inspect(const std::string& path) { return process_.inspect(path); }

Outcome<bool> SimSystem::path_has_owner(const std::string& path) {
    return process_.path_has_owner(path);
}

Outcome<void> SimSystem::unlink(const std::string& path) { return process_.unlink(path); }

}  // namespace berth::driver::sim
