// SPDX-License-Identifier: MIT
//
// TcpSocket: what each segment that comes does to a connection.
//
// The order is that of tcp_rcv_state_process: reset, handshake, acknowledgement, bytes, FIN.

#include "driver/sim/segment.hpp"
#include "driver/sim/tcp_socket.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace berth::driver::sim {

namespace {

constexpr int kTtl = 64;  // net.ipv4.ip_default_ttl
constexpr Duration kRetransmissionTimeout = std::chrono::milliseconds{200};

bool drops(Filter filter, const Segment& segment) {
    switch (filter) {
        case Filter::none: return false;
        case Filter::handshakes: return segment.syn && !segment.ack;
        case Filter::everything: return true;
    }
    return false;
}

}  // namespace

// A connection of the SYN queue has the filter of its listener, and no TTL is too low for it.
bool TcpSocket::is_deaf_to(const Segment& segment) const {
    if (!is_half_open_) return kTtl < ttl_least_ || drops(filter_, segment);
    const auto listener = listener_.lock();
    return listener != nullptr && drops(listener->filter_, segment);
}

void TcpSocket::take(Segment& segment) {
    if (is_deaf_to(segment)) {
        if (!missed_at_) missed_at_ = kernel().now();
        return;
    }
    if (is_listening()) return take_syn(segment);
    if (state_ == State::syn_sent) return take_answer(segment);
    if (segment.rst) {
        if (segment.sequence == in_.next()) reset_by_peer();
        return;
    }
    if (state_ == State::syn_received && !take_last_of_handshake(segment)) return;
    if (segment.syn) return take_handshake_again();
    take_acknowledgement(segment);
    if (state_ != State::closed) take_text(segment);
}

// What it was deaf to is sent again, but not at once.
void TcpSocket::listen_again() {
    if (!missed_at_ || is_in(State::closed, State::listening, State::syn_sent)) return;
    const Instant again = std::max(kernel().now(), *missed_at_ + kRetransmissionTimeout);
    missed_at_.reset();
    missed_timer_.start(again, [this] { ask_for_missed(); });
}

void TcpSocket::ask_for_missed() {
    const auto self = shared_from_this();
    out_.go_back();
    send_due();
    acknowledge(true);
}

// The peer has heard nothing of what came after it.
void TcpSocket::take_handshake_again() {
    out_.go_back();
    if (!send_due()) acknowledge();
}

void TcpSocket::take_text(const Segment& segment) {
    const bool is_to_be_answered = segment.length() != 0;
    if (segment.sequence > in_.next()) {
        if (is_to_be_answered) acknowledge(true);
        return;
    }
    take_bytes(segment);
    if (state_ != State::closed) take_fin(segment);
    if (state_ != State::closed && !send_due() && is_to_be_answered) acknowledge();
}

// In SYN_SENT.
void TcpSocket::take_answer(Segment& segment) {
    const bool is_about_us = segment.ack && segment.acknowledged == out_.next();
    if (segment.ack && !is_about_us) {
        if (!segment.rst) transmit(refusal_of(segment));
    } else if (segment.rst) {
        if (is_about_us) reset_by_peer();
    } else if (segment.syn) {
        in_.start(segment.end());
        timer_.stop();
        if (is_about_us) {
            state_ = State::established;
            take_acknowledgement(segment);
            acknowledge();
        } else {
            // Two that connect to each other, or one to itself.
            state_ = State::syn_received;
            send_syn();
        }
    }
}

// In SYN_RECEIVED. True if the handshake is complete.
bool TcpSocket::take_last_of_handshake(Segment& segment) {
    if (!segment.ack) {
        if (segment.syn) send_syn();
        return false;
    }
    if (segment.acknowledged < out_.next()) return false;
    if (is_half_open_ && !enter_accept_queue(segment)) return false;
    timer_.stop();
    state_ = State::established;
    if (no_more_sent_) end_sending();
    return true;
}

void TcpSocket::take_acknowledgement(const Segment& segment) {
    if (!segment.ack) return;
    const bool is_news = out_.acknowledge(segment.acknowledged, segment.window);
    if (segment.gap) out_.go_back();
    if (is_news) watch_progress(true);
    if (!out_.is_fin_acknowledged()) return;

    if (state_ == State::fin_wait_1) {
        state_ = State::fin_wait_2;
        if (is_orphan_ && segment.length() == 0) leave_behind_time_wait(false);
    } else if (state_ == State::closing) {
        leave_behind_time_wait(true);
    } else if (state_ == State::last_ack) {
        finish();
    }
}

void TcpSocket::take_bytes(const Segment& segment) {
    const auto known = std::min<std::uint64_t>(in_.next() - segment.sequence, segment.bytes.size());
    const auto fresh = Bytes{segment.bytes}.subspan(known);
    if (fresh.empty()) return;
    if (no_more_received_ && is_in(State::fin_wait_1, State::fin_wait_2)) {
        // Nobody will ever read them: TCPABORTONDATA.
        send_reset();
        reset_by_peer();
        return;
    }
    in_.append(fresh);
}

void TcpSocket::take_fin(const Segment& segment) {
    if (!segment.fin || segment.end() != in_.next() + 1) return;
    in_.count_fin();
    has_peer_ended_ = no_more_received_ = true;
    if (state_ == State::established) {
        state_ = State::close_wait;
    } else if (state_ == State::fin_wait_1) {
        state_ = State::closing;
    } else if (state_ == State::fin_wait_2) {
        acknowledge();
        leave_behind_time_wait(true);
    }
}

// tcp_reset. What was received stays readable, and comes before the error.
void TcpSocket::reset_by_peer() {
    if (state_ == State::syn_sent) {
        error_ = ECONNREFUSED;
    } else {
        error_ = state_ == State::close_wait ? EPIPE : ECONNRESET;
    }
    finish();
}

}  // namespace berth::driver::sim
