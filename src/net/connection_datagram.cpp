// SPDX-License-Identifier: MIT
//
// ConnectionCore, of datagrams: what is different where messages have bounds and nobody says
// goodbye. The socket's side is a DatagramCarrier.

#include "net/connection_core.hpp"
#include "net/connection_turn.hpp"
#include "net/datagram_link.hpp"

#include <cerrno>

namespace berth::net {

// Of one that is_datagrams().
DatagramCarrier& ConnectionCore::carrier() const {
    return static_cast<DatagramCarrier&>(table_.link(slot_));
}

void ConnectionCore::connect_datagrams(const Endpoint& endpoint) {
    set(kLinked);
    const int errno_value = table_.add_link(*this).connect(endpoint);
    if (errno_value != 0) fail(errno_value);
}

// It is connected already.
void ConnectionCore::adopt_datagrams(Scheme scheme) {
    set(kLinked);
    const int errno_value = table_.add_link(*this).adopt(scheme);
    if (errno_value != 0) fail(errno_value);
}

// Its first datagram is there: there is nobody to wait for.
void ConnectionCore::open_session() {
    set(kLinked);
    advance(ConnectionEvent::connected);
}

// On a listener of every address; what was sent to many was sent to none of ours.
Endpoint ConnectionCore::session_endpoint() const {
    const Endpoint& listening = table_.host().listening_on(listener_);
    IpEndpoint local = carrier().local();
    if (local.family == 0) return listening;
    local.port = listening.port();
    return {listening.scheme(), local};
}

void ConnectionCore::open_datagrams() {
    if (is_gone()) return;
    table_.loop().timers().cancel(*this);
    advance(ConnectionEvent::connected);
}

void ConnectionCore::received_datagram(Bytes bytes) {
    if (is_gone()) return;
    last_activity_ = table_.loop().now();
    bytes_received_ += bytes.size();
    traffic(bytes);
}

// What a handler does not read of a datagram is not seen again: the next one begins anew.
void ConnectionCore::drop_rest() {
    if (!table_.turn().unread().empty()) table_.counters().datagrams.unread.add();
    table_.turn().drop_unread();
}

WriteStatus ConnectionCore::write_datagram(Bytes bytes) {
    if (!may_write(state_)) return WriteStatus::refused;
    last_activity_ = table_.loop().now();
    const int errno_value = carrier().send(bytes);
    if (errno_value == 0) {
        bytes_written_ += bytes.size();
        return WriteStatus::queued;
    }
    if (errno_value == ECONNREFUSED) fail(errno_value);
    return WriteStatus::refused;
}

}  // namespace berth::net
