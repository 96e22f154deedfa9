// SPDX-License-Identifier: MIT
//
// TcpSocket: the segments that it sends, and how long it waits for an answer.

#include "driver/sim/segment.hpp"
#include "driver/sim/tcp_socket.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <utility>

namespace berth::driver::sim {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSegmentMax = 32768;
constexpr Duration kSynTimeout = 1s;    // the first; each next one is twice as long
constexpr unsigned kSynRetries = 6;     // net.ipv4.tcp_syn_retries
constexpr unsigned kSynAckRetries = 5;  // net.ipv4.tcp_synack_retries
constexpr Duration kOrphanTimeout = 60s;

}  // namespace

Segment TcpSocket::segment() {
    Segment segment{.from = local(), .to = peer_, .sequence = out_.next(), .bytes = {}};
    if (state_ != State::syn_sent) {
        segment.ack = true;
        segment.acknowledged = in_.next();
        segment.window = in_.promise(window_max());
    }
    return segment;
}

void TcpSocket::transmit(Segment segment) {
    arrival_last_ = std::max(arrival_last_, network().arrival());
    network().send(std::move(segment), arrival_last_);
}

void TcpSocket::send_syn() {
    Segment syn = segment();
    syn.syn = true;
    --syn.sequence;
    transmit(std::move(syn));
    timer_.start(kernel().now() + kSynTimeout * (1U << syns_sent_), [this] { retry_syn(); });
}

void TcpSocket::retry_syn() {
    const auto self = shared_from_this();
    const unsigned retries = state_ == State::syn_sent ? kSynRetries : kSynAckRetries;
    if (++syns_sent_ <= retries) return send_syn();
    // The client believes itself connected; what it sent would be sent again now, and refused.
    if (was_ignored_) send_reset();
    error_ = ETIMEDOUT;
    finish();
}

bool TcpSocket::send_due() {
    bool is_any = false;
    for (Bytes due = out_.due(kSegmentMax); !due.empty(); due = out_.due(kSegmentMax)) {
        Segment data = segment();
        data.bytes.assign(due.begin(), due.end());
        out_.sent(due.size());
        transmit(std::move(data));
        is_any = true;
    }
    if (!out_.is_fin_due()) return is_any;
    Segment fin = segment();
    fin.fin = true;
    out_.sent(1);
    transmit(std::move(fin));
    return true;
}

void TcpSocket::acknowledge(bool gap) {
    Segment answer = segment();
    answer.gap = gap;
    transmit(std::move(answer));
}

void TcpSocket::send_reset() {
    Segment reset = segment();
    reset.rst = true;
    transmit(std::move(reset));
}

void TcpSocket::end_sending() {
    if (is_in(State::established, State::syn_received)) {
        state_ = State::fin_wait_1;
    } else if (state_ == State::close_wait) {
        state_ = State::last_ack;
    } else {
        return;
    }
    out_.append_fin();
    watch_progress(false);
    send_due();
}

void TcpSocket::watch_progress(bool anew) {
    const bool is_waiting = out_.unacknowledged() != 0;
    if (anew || !is_waiting) timer_.stop();
    if (!is_waiting || timer_.is_running()) return;
    const auto limit = user_timeout_ == Duration{} && is_orphan_ ? kOrphanTimeout : user_timeout_;
    if (limit != Duration{}) timer_.start(kernel().now() + limit, [this] { give_up(); });
}

void TcpSocket::give_up() {
    const auto self = shared_from_this();
    if (is_orphan_) send_reset();
    error_ = ETIMEDOUT;
    finish();
}

}  // namespace berth::driver::sim
