// SPDX-License-Identifier: MIT
//
// ConnectionCore: identity.

#include "net/connection_core.hpp"

#include "net/connection_table.hpp"
#include "os/ip_address.hpp"

#include <algorithm>

namespace berth::net {

namespace {

constexpr std::uint8_t kFamilyMask = 7;

}  // namespace

ConnectionCore::ConnectionCore(base::SlotId id, ConnectionTable& table, const NewConnection& made)
    : table_(table),
      slot_(id.slot),
      listener_(static_cast<std::uint16_t>(made.listener)),
      opened_at_(table.loop().now()),
      seat_(made.seat) {
    set_peer(made.peer);
    descriptor = made.socket;
    table.counters().connecting.add();
}

ConnectionCore::~ConnectionCore() { table_.contexts().drop(slot_); }

base::SlotId ConnectionCore::slot() const { return table_.id_of(slot_); }

ConnectionId ConnectionCore::id() const {
    return {static_cast<std::uint32_t>(table_.loop_index()), slot_, slot().generation};
}

void ConnectionCore::set_peer(const IpEndpoint& peer) {
    peer_port_ = peer.port;
    peer_family_ = peer.family & kFamilyMask;
    std::copy_n(peer.address.begin(), peer_v4_.size(), peer_v4_.begin());
    if (peer_family_ == os::kIpv6) table_.remember_peer(slot_, peer);
}

IpEndpoint ConnectionCore::peer() const {
    if (peer_family_ == os::kIpv6) return table_.remembered_peer(slot_);
    IpEndpoint peer{.port = peer_port_, .family = peer_family_};
    std::ranges::copy(peer_v4_, peer.address.begin());
    return peer;
}

ConnectionCounters ConnectionCore::counters() const {
    return {.bytes_received = bytes_received_,
            .bytes_written = bytes_written_,
            .bytes_sent = bytes_written_ - unsent()};
}

Endpoint ConnectionCore::peer_endpoint() const {
    if (peer_family_ != 0) return {scheme(), peer()};
    Endpoint unnamed(scheme(), std::string());
    if (!driver::is_open(descriptor)) return unnamed;
    return table_.system().peer_endpoint(descriptor, scheme()).value_or(unnamed);
}

// What its addresses are printed with.
Scheme ConnectionCore::scheme() const {
    if (is(kLinked)) return table_.link(slot_).scheme();
    return peer_family_ != 0 ? Scheme::tcp : Scheme::unix_stream;
}

// Null: its listener's address is not its own, being a wildcard, or it has none.
const Endpoint* ConnectionCore::listening_on() const {
    if (listener_ == kNoListener) return nullptr;
    const Endpoint& listening = table_.host().listening_on(listener_);
    return listening.is_wildcard() ? nullptr : &listening;
}

// Where the listener does not say it the socket is asked, each time: few want to know, and all
// would pay for the memory of the answer.
Endpoint ConnectionCore::local_endpoint() const {
    if (const Endpoint* const listening = listening_on()) return *listening;
    if (is_session()) return session_endpoint();
    Endpoint unknown(scheme(), std::string());
    if (driver::is_open(descriptor)) {
        return table_.system().local_endpoint(descriptor, scheme()).value_or(unknown);
    }
    const IpEndpoint remembered = ends_ ? table_.farewell(slot_).local : IpEndpoint{};
    return remembered.family != 0 ? Endpoint(scheme(), remembered) : unknown;
}

// For on_close, while there is a socket to ask.
void ConnectionCore::remember_local_endpoint() {
    if (listening_on() == nullptr && !is_session()) farewell().local = local_endpoint().ip();
}

void ConnectionCore::set_context(void* object, const Context::Destroy* tag) {
    table_.contexts().set(slot_, {.object = object, .tag = tag});
}

void ConnectionCore::set_context(Context&& context) {
    set_context(std::exchange(context.object_, nullptr), context.tag_);
}

void* ConnectionCore::context_if(const Context::Destroy* tag) const {
    return table_.contexts().get_if(slot_, tag);
}

}  // namespace berth::net
