// SPDX-License-Identifier: MIT
//
// UnixSocket, UnixStream, UnixDatagram: after net/unix/af_unix.c.

#include "driver/sim/unix_socket.hpp"

#include "base/outcome.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/socket.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

namespace berth::driver::sim {

namespace {

constexpr int kBacklogMax = 4096;  // net.core.somaxconn

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
    if (std::exchange(is_bound_, false)) network().unix_names().leave(name_, *this);
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

// ── Streams: connecting ──────────────────────────────────────────────────────────────────────

Outcome<void> UnixStream::listen(int backlog) {
    if (name_.empty() || state_ == State::established) return base::failed(EINVAL);
    const bool is_sane = backlog >= 0 && backlog <= kBacklogMax;
    backlog_ = static_cast<std::size_t>(is_sane ? backlog : kBacklogMax);
    state_ = State::listening;
    return {};
}

Outcome<void> UnixStream::connect(const Endpoint& endpoint) {
    const auto found = find(endpoint.name());
    if (!found) return base::failed(found.errno_value());
    auto& listener = static_cast<UnixStream&>(**found);
    if (listener.state_ != State::listening || listener.no_more_received_) {
        return base::failed(ECONNREFUSED);
    }
    if (listener.accept_queue_.size() > listener.backlog_) return base::failed(EAGAIN);
    if (state_ != State::closed) {
        return base::failed(state_ == State::established ? EISCONN : EINVAL);
    }
    auto accepted = std::make_shared<UnixStream>(network());
    accepted->name_ = listener.name_;
    accepted->state_ = state_ = State::established;
    accepted->peer_ = this;
    peer_ = accepted.get();
    listener.accept_queue_.push_back(std::move(accepted));
    return {};
}

Outcome<std::shared_ptr<Socket>> UnixStream::accept() {
    if (state_ != State::listening) return base::failed(EINVAL);
    if (accept_queue_.empty()) return base::failed(EAGAIN);
    auto accepted = std::move(accept_queue_.front());
    accept_queue_.pop_front();
    return accepted;
}

// ── Streams: bytes ───────────────────────────────────────────────────────────────────────────

Outcome<std::size_t> UnixStream::send(Bytes bytes) {
    if (state_ != State::established) return base::failed(ENOTCONN);
    if (no_more_sent_ || peer_->no_more_received_) return base::failed(EPIPE);
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (bytes.empty()) return 0U;

    const std::size_t room = send_buffer_ - std::min(send_buffer_, peer_->received_.size());
    if (room == 0 || kernel().happens(kernel().weather().refused_send)) {
        return base::failed(EAGAIN);
    }
    const std::size_t fits = std::min(bytes.size(), room);
    const std::size_t count = by_chance(kernel().weather().partial_send, fits);
    peer_->received_.append(bytes.first(count));
    return count;
}

Outcome<std::size_t> UnixStream::send_to(const Endpoint&, Bytes) {
    return base::failed(state_ == State::established ? EISCONN : EOPNOTSUPP);
}

Outcome<std::size_t> UnixStream::receive(MutableBytes into) {
    if (state_ != State::established) return base::failed(EINVAL);
    if (!received_.empty()) {
        const auto wanted = std::min(into.size(), received_.size());
        const auto count = by_chance(kernel().weather().partial_receive, wanted);
        if (count > 0) std::memcpy(into.data(), received_.view().data(), count);
        received_.consume(count);
        return count;
    }
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (no_more_received_) return 0U;
    return base::failed(EAGAIN);
}

// ── Streams: ending ──────────────────────────────────────────────────────────────────────────

Outcome<void> UnixStream::shutdown(Shut what) {
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

void UnixStream::close() {
    UnixSocket::close();
    state_ = State::closed;
    hang_up_peer(!received_.empty());
    for (const auto& queued : std::exchange(accept_queue_, {})) {
        queued->hang_up_peer(true);
        queued->close();
    }
}

void UnixStream::hang_up_peer(bool has_lost_bytes) {
    UnixStream* peer = std::exchange(peer_, nullptr);
    if (peer == nullptr) return;
    peer->peer_ = nullptr;
    peer->peer_name_ = name_;
    peer->no_more_received_ = peer->no_more_sent_ = true;
    if (has_lost_bytes) peer->error_ = ECONNRESET;
}

// ── Streams: questions ───────────────────────────────────────────────────────────────────────

Outcome<Endpoint> UnixStream::peer_endpoint(Scheme scheme) const {
    if (state_ != State::established) return base::failed(ENOTCONN);
    return Endpoint{scheme, peer_ == nullptr ? peer_name_ : peer_->name_};
}

// What the peer has not read, as SIOCOUTQ; Linux counts its own bookkeeping too.
Outcome<std::size_t> UnixStream::unacknowledged() const {
    if (state_ == State::listening) return base::failed(EINVAL);
    return peer_ == nullptr ? 0 : peer_->received_.size();
}

// unix_poll.
Readiness UnixStream::readiness() const {
    const std::size_t queued = peer_ == nullptr ? 0 : peer_->received_.size();
    return {
        .readable = no_more_received_ || !received_.empty() || !accept_queue_.empty(),
        .writable = state_ != State::listening && 4 * queued <= send_buffer_,
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
