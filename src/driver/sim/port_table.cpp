// SPDX-License-Identifier: MIT
//
// PortTable: one list of owners for every port that is in use.

#include "driver/sim/port_table.hpp"

#include "base/outcome.hpp"
#include "driver/sim/place.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>

namespace berth::driver::sim {

namespace {

bool may_share(const PortOwner& newcomer, const PortOwner& owner) {
    if (newcomer.reuses_address() && owner.reuses_address() && !owner.is_listening()) return true;
    const bool is_of_one_user = owner.is_left_over() || newcomer.uid() == owner.uid();
    return newcomer.reuses_port() && owner.reuses_port() && is_of_one_user;
}

// Linux compares their IPv4 halves: a dual-stack socket is in the way of an IPv4 one that wants
// the wildcard even from an IPv6 address that connect(2) or its listener gave it.
bool is_in_the_way(const PortOwner& owner, const PortOwner& newcomer, const Place& place) {
    const bool is_v4_wildcard = place.is_wildcard() && place.families == Place::kV4;
    if (is_v4_wildcard && owner.is_dual_stack() && !newcomer.is_dual_stack()) return true;
    return overlap(place, owner.local());
}

}  // namespace

PortOwner::~PortOwner() { release_port(); }

void PortOwner::release_port() {
    if (table_ != nullptr) table_->leave(*this);
}

Outcome<void> PortTable::take(PortOwner& owner, Place place) {
    if (place.port == 0) {
        place.port = free_port();
        if (place.port == 0) return base::failed(EADDRINUSE);
    } else if (is_taken(owner, place)) {
        return base::failed(EADDRINUSE);
    }
    owner.local_ = place;
    join(owner);
    return {};
}

void PortTable::join(PortOwner& owner) {
    Owners& owners = ports_[port_of(owner)];
    owner.position_ = owners.insert(owners.end(), &owner);
    owner.table_ = this;
}

void PortTable::leave(PortOwner& owner) {
    const auto port = ports_.find(port_of(owner));
    port->second.erase(owner.position_);
    if (port->second.empty()) ports_.erase(port);
    owner.table_ = nullptr;
}

bool PortTable::is_taken(const PortOwner& owner, const Place& place) const {
    return std::ranges::any_of(owners(owner.protocol_, place.port), [&](const PortOwner* other) {
        return other != &owner && is_in_the_way(*other, owner, place) && !may_share(owner, *other);
    });
}

const PortTable::Owners& PortTable::owners(Protocol protocol, std::uint16_t port) const {
    static const Owners nobody;
    const auto found = ports_.find({protocol, port});
    return found == ports_.end() ? nobody : found->second;
}

// Counts up, and so repeats: a number freed just now is the last to be used again.
std::uint16_t PortTable::free_port() {
    for (int tries = kEphemeral.first; tries <= kEphemeral.last; ++tries) {
        const std::uint16_t port = ephemeral_next_;
        ephemeral_next_ =
            port == kEphemeral.last ? kEphemeral.first : static_cast<std::uint16_t>(port + 1);
        if (!ports_.contains({Protocol::tcp, port}) && !ports_.contains({Protocol::udp, port})) {
            return port;
        }
    }
    return 0;
}

}  // namespace berth::driver::sim
