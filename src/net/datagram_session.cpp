// SPDX-License-Identifier: MIT
//
// DatagramSession, DatagramSessions: opening, receiving, sending, closing.

#include "net/datagram_session.hpp"

#include "net/address_hash.hpp"
#include "net/connection_core.hpp"
#include "net/connection_table.hpp"
#include "net/datagram_port.hpp"

#include <cerrno>
#include <memory>
#include <utility>

namespace berth::net {

// ── One ──────────────────────────────────────────────────────────────────────────────────────

DatagramSession::DatagramSession(ConnectionCore& connection, DatagramSessions& sessions,
                                 const SessionKey& key)
    : connection_(connection),
      sessions_(&sessions),
      key_(key),
      scheme_(sessions.port().endpoint().scheme()) {}

DatagramSession::~DatagramSession() {
    if (sessions_ != nullptr) sessions_->forget(key_);
}

bool DatagramSession::received(Bytes bytes) {
    if (is_paused_ || is_closing_) return false;
    connection_.received_datagram(bytes);
    return true;
}

// It leaves with others of its port: when the batch under way is over, or before the loop sleeps.
int DatagramSession::send(Bytes bytes) {
    if (bytes.size() > DatagramOutbox::kPayloadMax) return EMSGSIZE;
    if (sessions_ == nullptr) return ENOTCONN;
    return sessions_->port().send(key_.peer, key_.local, bytes) ? 0 : ENOTCONN;
}

void DatagramSession::flush() {
    if (sessions_ != nullptr) sessions_->port().flush();
}

const TimeLimits& DatagramSession::limits() const {
    return sessions_ != nullptr ? sessions_->limits() : connection_.table().limits();
}

void DatagramSession::close() {
    is_closing_ = true;
    static_cast<void>(connection_.table().loop().post(*this));
}

// Its port may have waited for this one.
void DatagramSession::run() {
    if (DatagramSessions* const sessions = std::exchange(sessions_, nullptr)) {
        sessions->forget(key_);
        if (sessions->empty()) sessions->port().last_session_left();
    }
    connection_.on_closed();
}

// ── All of a port ────────────────────────────────────────────────────────────────────────────

DatagramSessions::DatagramSessions(DatagramPort& port, ConnectionTable& table,
                                   const DatagramOptions& options)
    : port_(port),
      table_(table),
      limits_(TimeLimits::of(table.options())),
      sessions_(0, Hash{table.system().random()}) {
    limits_.idle = options.session_idle;
}

DatagramSessions::~DatagramSessions() {
    for (const auto& [key, session] : sessions_) session->orphan();
}

std::size_t DatagramSessions::Hash::operator()(const SessionKey& session) const {
    const std::uint64_t local = hash_of_address(session.local, key);
    return hash_of_address(session.peer, mixed(local ^ session.peer.port) ^ session.peer.zone);
}

void DatagramSessions::received(const driver::ReceivedDatagram& datagram) {
    const SessionKey key{.peer = datagram.peer,
                         .local = datagram.is_to_many ? IpEndpoint{} : datagram.local};
    const auto found = sessions_.find(key);
    DatagramSession* const session = found != sessions_.end() ? found->second : open(key);
    LoopCounters::Datagrams& counters = table_.counters().datagrams;
    if (session == nullptr) return counters.unadmitted.add();
    if (!session->received(datagram.bytes)) counters.dropped.add();
}

// Null: nobody is let in, or there is no room.
DatagramSession* DatagramSessions::open(const SessionKey& key) {
    if (!admits_ || !port_.admits_session(key.peer)) return nullptr;
    ConnectionCore* const connection = table_.admit_session(key.peer, port_.listener());
    if (connection == nullptr) return nullptr;
    auto made = std::make_unique<DatagramSession>(*connection, *this, key);
    DatagramSession* const session = made.get();
    sessions_.emplace(key, session);
    table_.carry(*connection, std::move(made));
    connection->open_session();
    return session;
}

}  // namespace berth::net
