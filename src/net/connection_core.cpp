// SPDX-License-Identifier: MIT
//
// ConnectionCore: identity and context.

#include "net/connection_core.hpp"

#include "net/connection_table.hpp"

namespace berth::net {

ConnectionCore::ConnectionCore(base::SlotId id, ConnectionTable& table, const NewConnection& made)
    : Timer(&ConnectionCore::fire),
      table_(table),
      id_(id),
      opened_at_(table.loop().now()),
      peer_(made.peer),
      listener_(static_cast<std::uint16_t>(made.listener)) {
    descriptor = made.socket;
    table.counters().connecting.add();
}

ConnectionCore::~ConnectionCore() { set_context(nullptr, nullptr); }

ConnectionId ConnectionCore::id() const {
    return {static_cast<std::uint32_t>(table_.loop_index()), id_.slot, id_.generation};
}

ConnectionCounters ConnectionCore::counters() const {
    return {.bytes_received = bytes_received_,
            .bytes_written = bytes_written_,
            .bytes_sent = bytes_written_ - unsent()};
}

Endpoint ConnectionCore::peer_endpoint() const {
    if (peer_.family != 0) return {Scheme::tcp, peer_};
    Endpoint unnamed(Scheme::unix_stream, std::string());
    if (!driver::is_open(descriptor)) return unnamed;
    return table_.system().peer_endpoint(descriptor, Scheme::unix_stream).value_or(unnamed);
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
    const Scheme scheme = peer_.family != 0 ? Scheme::tcp : Scheme::unix_stream;
    Endpoint unknown(scheme, std::string());
    if (driver::is_open(descriptor)) {
        return table_.system().local_endpoint(descriptor, scheme).value_or(unknown);
    }
    const IpEndpoint remembered = ends_ ? table_.farewell(id_).local : IpEndpoint{};
    return remembered.family != 0 ? Endpoint(Scheme::tcp, remembered) : unknown;
}

// For on_close, while there is a socket to ask.
void ConnectionCore::remember_local_endpoint() {
    if (listening_on() == nullptr) farewell().local = local_endpoint().ip();
}

void ConnectionCore::set_context(void* object, void (*const* destroy)(void*)) {
    void* const previous = std::exchange(context_, object);
    const auto previous_destroy = std::exchange(context_destroy_, destroy);
    if (previous != nullptr) (*previous_destroy)(previous);
}

}  // namespace berth::net
