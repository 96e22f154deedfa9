// SPDX-License-Identifier: MIT
//
// UnixSocket, UnixConnection, UnixDatagram: after net/unix/af_unix.c.

#include "driver/sim/unix_socket.hpp"

#include "base/outcome.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/socket.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace berth::driver::sim {

namespace {

// SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET: socket(2).
std::uint16_t type_of(Kind kind) {
    switch (kind) {
        case Kind::stream: return 1;
        case Kind::datagram: return 2;
        case Kind::packet: return 5;
    }
    return 0;
}

}  // namespace

// ── Names ────────────────────────────────────────────────────────────────────────────────────

UnixSocket::~UnixSocket() { UnixSocket::close(); }

Outcome<void> UnixSocket::bind(const Endpoint& endpoint) {
    if (const int error = name_error(endpoint.name()); error != 0) return base::failed(error);
    // Of a path it is the file that is looked at first.
    UnixNames& names = network().unix_names();
    const bool is_second = !name_.empty();
    if (is_second && (endpoint.is_abstract() || !names.contains(endpoint.name()))) {
        return base::failed(EINVAL);
    }
    const auto bound = names.bind(endpoint.name(), *this);
    if (!bound) return bound;
    name_ = endpoint.name();
    is_bound_ = true;
    return {};
}

void UnixSocket::close() {
    if (std::exchange(is_bound_, false)) network().unix_names().leave(*this);
}

Outcome<UnixSocket*> UnixSocket::find(const std::string& name) const {
    const auto owner = network().unix_names().find(name);
    if (!owner) return base::failed(owner.errno_value());
    if (*owner == nullptr) return base::failed(ECONNREFUSED);
    if ((*owner)->kind() != kind_) return base::failed(EPROTOTYPE);
    return *owner;
}

Outcome<void> UnixSocket::set(SocketOption option, int value) {
    switch (option) {
        case SocketOption::reuse_address:
        case SocketOption::linger_reset:
        case SocketOption::receive_buffer:
        case SocketOption::send_buffer: return Socket::set(option, value);
        case SocketOption::reuse_port:
            if (value == 0) return {};
            [[fallthrough]];
        default: return base::failed(EOPNOTSUPP);
    }
}

Outcome<Endpoint> UnixSocket::local_endpoint(Scheme scheme) const {
    return Endpoint{scheme, name_};
}

std::optional<UnixRow> UnixSocket::unix_row() const {
    const PathFacts file = network().unix_names().file_of(*this);
    return UnixRow{.name = name_,
                   .is_listening = is_listening(),
                   .type = type_of(kind_),
                   .inode = seen_inode(),
                   .uid = user().uid,
                   .file_device = file.device,
                   .file_inode = file.inode};
}

// ── Connections: beginning ───────────────────────────────────────────────────────────────────

Outcome<void> UnixConnection::listen(int backlog) {
    if (name_.empty() || state_ == State::established) return base::failed(EINVAL);
    const bool is_sane = backlog >= 0 && backlog <= kBacklogMax;
    backlog_ = static_cast<std::size_t>(is_sane ? backlog : kBacklogMax);
    state_ = State::listening;
    peer_user_ = user();
    return {};
}

Outcome<void> UnixConnection::connect(const Endpoint& endpoint) {
    const auto found = find(endpoint.name());
    if (!found) return base::failed(found.errno_value());
    auto& listener = static_cast<UnixConnection&>(**found);
    if (!listener.is_listening() || listener.no_more_received_) return base::failed(ECONNREFUSED);
    if (listener.accept_queue_.size() > listener.backlog_) return base::failed(EAGAIN);
    if (state_ != State::closed) {
        return base::failed(state_ == State::established ? EISCONN : EINVAL);
    }
    auto accepted = make_another();
    accepted->name_ = listener.name_;
    marry(*accepted);
    peer_user_ = listener.peer_user_;
    accepted->peer_user_ = user();
    listener.accept_queue_.push_back(std::move(accepted));
    return {};
}

void UnixConnection::marry(UnixConnection& other) {
    state_ = other.state_ = State::established;
    peer_ = &other;
    other.peer_ = this;
    peer_user_ = other.peer_user_ = user();
}

Outcome<std::shared_ptr<Socket>> UnixConnection::accept() {
    if (state_ != State::listening) return base::failed(EINVAL);
    if (accept_queue_.empty()) return base::failed(EAGAIN);
    auto accepted = std::move(accept_queue_.front());
    accept_queue_.pop_front();
    return accepted;
}

// ── Connections: ending ──────────────────────────────────────────────────────────────────────

Outcome<void> UnixConnection::shutdown(Shut what) {
    const bool ends_receiving = what != Shut::sending;
    const bool ends_sending = what != Shut::reading;
    no_more_received_ = no_more_received_ || ends_receiving;
    no_more_sent_ = no_more_sent_ || ends_sending;
    if (peer_ != nullptr) {
        peer_->no_more_sent_ = peer_->no_more_sent_ || ends_receiving;
        peer_->no_more_received_ = peer_->no_more_received_ || ends_sending;
    }
    return {};
}

void UnixConnection::close() {
    UnixSocket::close();
    state_ = State::closed;
    hang_up_peer(unread() != 0);
    for (const auto& queued : std::exchange(accept_queue_, {})) {
        queued->hang_up_peer(true);
        queued->close();
    }
}

void UnixConnection::hang_up_peer(bool has_lost_bytes) {
    UnixConnection* peer = std::exchange(peer_, nullptr);
    if (peer == nullptr) return;
    peer->peer_ = nullptr;
    peer->peer_name_ = name_;
    peer->no_more_received_ = peer->no_more_sent_ = true;
    if (has_lost_bytes) peer->error_ = ECONNRESET;
}

// ── Connections: questions ───────────────────────────────────────────────────────────────────

Outcome<Endpoint> UnixConnection::peer_endpoint(Scheme scheme) const {
    if (state_ != State::established) return base::failed(ENOTCONN);
    return Endpoint{scheme, peer_ == nullptr ? peer_name_ : peer_->name_};
}

// What the peer has not read, as SIOCOUTQ; Linux counts its own bookkeeping too.
Outcome<std::size_t> UnixConnection::unacknowledged() const {
    if (state_ == State::listening) return base::failed(EINVAL);
    return peer_ == nullptr ? 0 : peer_->unread();
}

// unix_poll.
Readiness UnixConnection::readiness() const {
    return {
        .readable = no_more_received_ || unread() != 0 || !accept_queue_.empty(),
        .writable = state_ != State::listening && has_room(),
        .peer_ended = no_more_received_,
        .hung_up = state_ == State::closed || (no_more_received_ && no_more_sent_),
        .failed = error_ != 0,
    };
}

// ── Datagrams ────────────────────────────────────────────────────────────────────────────────

Outcome<void> UnixDatagram::connect(const Endpoint& endpoint) {
    const auto found = find(endpoint.name());
    if (!found) return base::failed(found.errno_value());
    peer_ = endpoint.name();
    return {};
}

Outcome<std::size_t> UnixDatagram::send(Bytes) {
    return base::failed(peer_.empty() ? ENOTCONN : EOPNOTSUPP);
}

Outcome<std::size_t> UnixDatagram::send_to(const Endpoint&, Bytes) {
    return base::failed(EOPNOTSUPP);
}

Outcome<std::size_t> UnixDatagram::receive(MutableBytes) { return base::failed(EAGAIN); }

Outcome<Endpoint> UnixDatagram::peer_endpoint(Scheme scheme) const {
    if (peer_.empty()) return base::failed(ENOTCONN);
    return Endpoint{scheme, peer_};
}

}  // namespace berth::driver::sim
