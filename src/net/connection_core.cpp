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
      peer_(made.peer),
      listener_(static_cast<std::uint16_t>(made.listener)) {
    descriptor = made.socket;
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

// The listener's address, unless that is a wildcard or there is none; then the socket is asked,
// once, and the answer kept for on_close.
Endpoint ConnectionCore::local_endpoint() const {
    if (local_.family != 0) return {Scheme::tcp, local_};
    if (listener_ != kNoListener) {
        const Endpoint& listening = table_.host().listening_on(listener_);
        if (!listening.is_wildcard()) return listening;
    }
    const Scheme scheme = peer_.family != 0 ? Scheme::tcp : Scheme::unix_stream;
    Endpoint unknown(scheme, std::string());
    if (!driver::is_open(descriptor)) return unknown;
    const auto asked = table_.system().local_endpoint(descriptor, scheme);
    if (!asked) return unknown;
    local_ = asked->ip();
    return *asked;
}

void ConnectionCore::set_context(void* object, void (*const* destroy)(void*)) {
    void* const previous = std::exchange(context_, object);
    const auto previous_destroy = std::exchange(context_destroy_, destroy);
    if (previous != nullptr) (*previous_destroy)(previous);
}

}  // namespace berth::net
