// SPDX-License-Identifier: MIT
//
// TcpSocket: the calls.

#include "driver/sim/tcp_socket.hpp"

#include "base/outcome.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/place.hpp"
#include "driver/sim/socket.hpp"
#include "driver/sim/time_wait.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace berth::driver::sim {

namespace {

constexpr int kFinTimeout = 60;  // net.ipv4.tcp_fin_timeout
constexpr int kFinTimeoutMax = 120;

Duration fin_timeout_of(int seconds) {
    return std::chrono::seconds{seconds == 0 ? kFinTimeout : seconds};
}

Outcome<void> within(int value, int least, int most) {
    if (value < least || value > most) return base::failed(EINVAL);
    return {};
}

}  // namespace

TcpSocket::TcpSocket(Network& network, Family family)
    : InetSocket(network, Protocol::tcp, family),
      timer_(network.agenda()),
      missed_timer_(network.agenda()) {
    receive_buffer_ = network.tcp_buffers().receive;
    send_buffer_ = network.tcp_buffers().send;
}

TcpSocket::~TcpSocket() {
    if (is_listening()) network().stop_listening(*this);
}

Outcome<void> TcpSocket::listen(int backlog) {
    if (connect_ != Connect::not_called || !is_in(State::closed, State::listening)) {
        return base::failed(EINVAL);
    }
    const bool is_sane = backlog >= 0 && backlog <= kBacklogMax;
    backlog_ = static_cast<std::size_t>(is_sane ? backlog : kBacklogMax);
    if (is_listening()) return {};

    // Another may have begun to listen since both were bound.
    if (has_port() && network().ports().is_taken(*this, local())) return base::failed(EADDRINUSE);
    if (const auto chosen = choose_port(); !chosen) return chosen;
    state_ = State::listening;
    network().start_listening(*this);
    return {};
}

// ── Connecting ───────────────────────────────────────────────────────────────────────────────

// The first call begins, the next one tells how it ended, whatever its address.
Outcome<void> TcpSocket::connect(const Endpoint& endpoint) {
    switch (connect_) {
        case Connect::done: return base::failed(EISCONN);
        case Connect::given_up: return base::failed(EINVAL);
        case Connect::called:
            if (is_in(State::syn_sent, State::syn_received)) return base::failed(EALREADY);
            if (state_ == State::closed) return end_failed_connect();
            connect_ = Connect::done;
            return {};
        case Connect::not_called: break;
    }
    if (state_ != State::closed) return base::failed(EISCONN);
    return connect_to(endpoint);
}

Outcome<void> TcpSocket::connect_to(const Endpoint& endpoint) {
    const auto peer = place_of(endpoint.ip());
    if (!peer) return base::failed(peer.errno_value());
    if (!choose_port()) return base::failed(EADDRNOTAVAIL);
    // An end that is in TIME_WAIT gives way to the one that was bound over it.
    const TcpEnd* other = network().find(opposite(*peer), *peer);
    if (other != nullptr && !other->is_over()) return base::failed(EADDRNOTAVAIL);
    local_ = opposite(*peer);
    peer_ = *peer;
    connect_ = Connect::called;
    state_ = State::syn_sent;
    syns_sent_ = 0;
    out_.start(network().next_sequence());
    network().connect(local(), peer_, shared_from_this());
    send_syn();
    return base::failed(EINPROGRESS);
}

Outcome<void> TcpSocket::end_failed_connect() {
    const int error = take_error();
    connect_ = Connect::not_called;
    drop_connection();
    return base::failed(error != 0 ? error : ECONNABORTED);
}

Outcome<std::shared_ptr<Socket>> TcpSocket::accept() {
    if (!is_listening()) return base::failed(EINVAL);
    if (accept_queue_.empty()) return base::failed(EAGAIN);
    auto accepted = std::move(accept_queue_.front());
    accept_queue_.pop_front();
    accepted->connect_ = Connect::done;
    return accepted;
}

// ── Bytes ────────────────────────────────────────────────────────────────────────────────────

Outcome<std::size_t> TcpSocket::send(Bytes bytes) {
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (is_in(State::syn_sent, State::syn_received)) return base::failed(EAGAIN);
    const bool is_open = is_in(State::established, State::close_wait);
    if (!is_open || no_more_sent_) return base::failed(EPIPE);
    if (bytes.empty()) return 0U;

    const std::size_t room = send_room();
    if (room == 0 || kernel().happens(kernel().weather().refused_send)) {
        return base::failed(EAGAIN);
    }
    const std::size_t fits = std::min(bytes.size(), room);
    const std::size_t count = by_chance(kernel().weather().partial_send, fits);
    out_.append(bytes.first(count));
    watch_progress(false);
    send_due();
    return count;
}

std::size_t TcpSocket::send_room() const {
    if (not_sent_low_ != 0 && out_.unsent() >= not_sent_low_) return 0;
    return send_buffer_ - std::min(send_buffer_, out_.size());
}

// The order is that of tcp_recvmsg: bytes first, then the end, then the error, told once.
Outcome<std::size_t> TcpSocket::receive(MutableBytes into) {
    if (is_listening()) return base::failed(ENOTCONN);
    if (!in_.empty()) {
        const auto wanted = std::min(into.size(), in_.size());
        const auto count =
            in_.take(into.first(by_chance(kernel().weather().partial_receive, wanted)));
        const bool may_get_more = is_in(State::established, State::fin_wait_1, State::fin_wait_2);
        if (may_get_more && !no_more_received_ && in_.is_news(window_max())) acknowledge();
        return count;
    }
    if (has_peer_ended_) return 0U;
    if (const int error = take_error(); error != 0) return base::failed(error);
    if (no_more_received_) return 0U;
    return base::failed(state_ == State::closed ? ENOTCONN : EAGAIN);
}

// ── Ending ───────────────────────────────────────────────────────────────────────────────────

Outcome<void> TcpSocket::shutdown(Shut what) {
    if (connect_ == Connect::called) {
        const bool is_open = !is_in(State::syn_sent, State::syn_received, State::closed);
        connect_ = is_open ? Connect::done : Connect::given_up;
    }
    if (is_in(State::listening, State::syn_sent)) {
        if (is_listening() && what == Shut::sending) return {};
        connect_ = Connect::not_called;
        drop_connection();
        return {};
    }
    const bool was_closed = state_ == State::closed;
    if (what != Shut::sending) no_more_received_ = true;
    if (what != Shut::reading) {
        no_more_sent_ = true;
        end_sending();
    }
    if (was_closed) return base::failed(ENOTCONN);
    return {};
}

// The order is that of __tcp_close: unread bytes before SO_LINGER, SO_LINGER before the FIN.
void TcpSocket::close() {
    const bool is_unread = !in_.empty();
    in_.drop();
    is_orphan_ = true;
    no_more_received_ = no_more_sent_ = true;
    if (is_unread && state_ != State::closed) {
        send_reset();
        become_closed();
    } else if (resets_ || is_in(State::listening, State::syn_sent)) {
        drop_connection();
    } else {
        end_sending();
    }
    if (state_ == State::fin_wait_2) {
        leave_behind_time_wait(false);
    } else if (state_ != State::closed) {
        watch_progress(true);
    }
}

// Linux' tcp_disconnect: a reset for the peer, and the socket is as good as new.
void TcpSocket::drop_connection() {
    const bool is_unfinished = is_in(State::closing, State::last_ack) && out_.unsent() != 0;
    if (is_listening()) {
        stop_listening();
    } else if (is_unfinished || is_in(State::syn_received, State::established, State::fin_wait_1,
                                      State::fin_wait_2, State::close_wait)) {
        send_reset();
        error_ = ECONNRESET;
    } else if (state_ == State::syn_sent) {
        error_ = ECONNRESET;
    }
    become_closed();
    forget_address();
    in_.drop();
    no_more_received_ = no_more_sent_ = has_peer_ended_ = false;
}

void TcpSocket::become_closed() {
    const bool is_connection = !is_in(State::closed, State::listening);
    leave_syn_queue();
    state_ = State::closed;
    timer_.stop();
    missed_timer_.stop();
    out_.drop();
    release_chosen_port();
    if (is_connection) network().disconnect(local(), peer_);
}

void TcpSocket::finish() {
    no_more_received_ = no_more_sent_ = true;
    become_closed();
}

void TcpSocket::leave_behind_time_wait(bool has_peer_ended) {
    if (!has_peer_ended && orphan_timeout_ < 0) {
        send_reset();
        return finish();
    }
    auto row = std::make_shared<TimeWait>(
        network(), *this, peer_,
        TimeWait::Numbers{.sent = out_.next(),
                          .received = in_.next(),
                          .has_peer_ended = has_peer_ended,
                          .fin_timeout = fin_timeout_of(orphan_timeout_)});
    finish();
    network().connect(local(), peer_, std::move(row));
}

// ── Options and questions ────────────────────────────────────────────────────────────────────

Outcome<void> TcpSocket::set(SocketOption option, int value) {
    switch (option) {
        case SocketOption::no_delay: return {};  // there is no delay
        case SocketOption::not_sent_low: not_sent_low_ = static_cast<unsigned>(value); return {};
        case SocketOption::user_timeout:
            if (value < 0) return base::failed(EINVAL);
            user_timeout_ = std::chrono::milliseconds{value};
            return {};
        case SocketOption::orphan_timeout:
            orphan_timeout_ = value > kFinTimeoutMax ? 0 : std::max(value, -1);
            return {};
        // Nothing is lost here without a word: probes would find everybody alive.
        case SocketOption::keep_alive: return {};
        case SocketOption::keep_idle:
        case SocketOption::keep_interval: return within(value, 1, 32'767);
        case SocketOption::keep_count: return within(value, 1, 127);
        default: return InetSocket::set(option, value);
    }
}

Outcome<Endpoint> TcpSocket::peer_endpoint(Scheme scheme) const {
    const bool has_peer = !is_in(State::closed, State::listening, State::syn_sent);
    if (!has_peer) return base::failed(ENOTCONN);
    return Endpoint{scheme, as_ip(peer_)};
}

Outcome<std::size_t> TcpSocket::unacknowledged() const {
    if (is_listening()) return base::failed(EINVAL);
    // Only once its handshake has ended does a SYN count.
    return is_in(State::syn_sent, State::syn_received) ? 0 : out_.unacknowledged();
}

Outcome<std::size_t> TcpSocket::never_sent() const {
    if (is_listening()) return base::failed(EINVAL);
    return out_.unsent();
}

Outcome<void> TcpSocket::attach(Filter filter) {
    const auto attached = InetSocket::attach(filter);
    if (filter == Filter::none) listen_again();
    return attached;
}

Outcome<void> TcpSocket::require_ttl(int least) {
    if (least < 0 || least > 255) return base::failed(EINVAL);
    ttl_least_ = least;
    if (least == 0) listen_again();
    return {};
}

SocketState TcpSocket::state_in_rows() const {
    switch (state_) {
        case State::closed: return SocketState::bound_inactive;
        case State::listening: return SocketState::listening;
        case State::syn_sent: return SocketState::syn_sent;
        case State::syn_received: return SocketState::syn_received;
        case State::established: return SocketState::established;
        case State::fin_wait_1: return SocketState::fin_wait1;
        case State::fin_wait_2: return SocketState::fin_wait2;
        case State::close_wait: return SocketState::close_wait;
        case State::closing: return SocketState::closing;
        case State::last_ack: return SocketState::last_ack;
    }
    return SocketState::closed;
}

SocketRow TcpSocket::row() const {
    auto row = row_in(state_in_rows());
    if (is_in(State::closed, State::listening)) row.peer = {};
    if (is_listening()) {
        row.receive_queue = static_cast<std::uint32_t>(accept_queue_.size());
        row.send_queue = static_cast<std::uint32_t>(backlog_);
    } else {
        row.receive_queue = static_cast<std::uint32_t>(in_.size());
        row.send_queue = static_cast<std::uint32_t>(out_.unacknowledged());
    }
    if (is_half_open_) row.uid = 0;
    if (timer_.is_running()) row.timer = timer_.due() - kernel().now();
    return row;
}

// tcp_poll.
Readiness TcpSocket::readiness() const {
    if (is_listening()) return {.readable = !accept_queue_.empty()};
    const bool is_begun = !is_in(State::syn_sent, State::syn_received);
    const bool has_room = send_room() > 0 && send_room() >= out_.size() / 2 &&
                          (not_sent_low_ == 0 || 2 * out_.unsent() < not_sent_low_);
    return {
        .readable = no_more_received_ || (is_begun && !in_.empty()),
        .writable = is_begun && (no_more_sent_ || has_room),
        .peer_ended = no_more_received_,
        .hung_up = state_ == State::closed || (no_more_received_ && no_more_sent_),
        .failed = error_ != 0,
    };
}

}  // namespace berth::driver::sim
