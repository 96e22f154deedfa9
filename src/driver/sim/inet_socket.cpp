// SPDX-License-Identifier: MIT
//
// InetSocket: what bind(2) names stays; what connect(2) and the kernel choose is given back.

#include "driver/sim/inet_socket.hpp"

#include "base/outcome.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/port_table.hpp"
#include "driver/sim/socket.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/endpoint.hpp>

#include <cerrno>

namespace berth::driver::sim {

InetSocket::InetSocket(Network& network, Protocol protocol, Family family)
    : Socket(network, family), PortOwner(protocol) {
    set_families({.is_v6 = family == Family::v6});
    local_ = bound_ = families_.everywhere();
}

void InetSocket::set_families(const Families& families) {
    families_ = families;
    is_dual_stack_ = families.is_v6 && !families.is_v6_only;
}

void InetSocket::stand(const Place& place) {
    local_.host = place.host;
    local_.families = place.families;
}

Outcome<void> InetSocket::bind(const Endpoint& endpoint) {
    const auto place = place_to_bind(families_, endpoint.ip());
    if (!place) return base::failed(place.errno_value());
    if (has_port()) return base::failed(EINVAL);
    const auto taken = network().ports().take(*this, *place);
    if (!taken) {
        stand(families_.everywhere());  // an address that connect(2) gave it is forgotten, but not
                                        // its port
        return taken;
    }
    bound_ = *place;
    is_port_bound_ = endpoint.port() != 0;
    // Once it has a true IPv6 address it speaks nothing else.
    const bool is_v6 = !place->is_wildcard() && place->families == Place::kV6;
    if (is_v6) set_families({.is_v6 = true, .is_v6_only = true});
    return {};
}

Outcome<void> InetSocket::set(SocketOption option, int value) {
    switch (option) {
        case SocketOption::reuse_address: reuses_address_ = value != 0; return {};
        case SocketOption::reuse_port: reuses_port_ = value != 0; return {};
        case SocketOption::v6_only:
            if (!families_.is_v6) return base::failed(ENOPROTOOPT);
            if (has_port()) return base::failed(EINVAL);
            set_families({.is_v6 = true, .is_v6_only = value != 0});
            bound_ = families_.everywhere();
            if (local_.is_wildcard()) stand(bound_);
            return {};
        default: return Socket::set(option, value);
    }
}

Outcome<Endpoint> InetSocket::local_endpoint(Scheme scheme) const {
    return Endpoint{scheme, as_ip(local_)};
}

SocketRow InetSocket::row_in(SocketState state) const {
    SocketRow row{.state = state, .local = as_ip(local_), .peer = {}};
    row.uid = uid();
    row.inode = seen_inode();
    if (peer_.host != 0) row.peer = as_ip(peer_);
    row.is_v6_only = families_.is_v6 && families_.is_v6_only;
    return row;
}

Outcome<Place> InetSocket::place_of(const IpEndpoint& peer) const {
    auto place = place_to_reach(families_, peer);
    if (!place) return place;
    const bool is_v4_only = local_.families == Place::kV4;
    if (place->is_wildcard()) {
        // Everywhere is here.
        if (is_v4_only) place->families = Place::kV4;
        place->host = opposite(*place).host;
    }
    if (is_v4_only && place->families == Place::kV6) return base::failed(EAFNOSUPPORT);
    return place;
}

void InetSocket::copy_options(const InetSocket& other) {
    set_families(other.families_);
    reuses_address_ = other.reuses_address_;
    reuses_port_ = other.reuses_port_;
    resets_ = other.resets_;
    receive_buffer_ = other.receive_buffer_;
    send_buffer_ = other.send_buffer_;
}

Outcome<void> InetSocket::choose_port() {
    if (has_port()) return {};
    Place place = local_;
    place.port = 0;
    is_port_bound_ = false;
    return network().ports().take(*this, place);
}

Place InetSocket::opposite(const Place& peer) const {
    Place place = local_;
    const bool is_there = !place.is_wildcard() && (place.families & peer.families) != 0;
    if (!is_there) place.host = loopback_of(peer.families);
    place.families = peer.families;
    return place;
}

void InetSocket::forget_address() {
    peer_ = {};
    stand(bound_);
}

void InetSocket::release_chosen_port() {
    if (!is_port_bound_) release_port();
}

}  // namespace berth::driver::sim
