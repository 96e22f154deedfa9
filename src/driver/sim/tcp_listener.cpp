// SPDX-License-Identifier: MIT
//
// TcpSocket: a listener, its SYN queue and its accept queue.
//
// A full queue refuses nobody: it ignores. A SYN is then sent again by the client, and an ACK is
// asked for again by our SYN; the client of the latter believes itself connected meanwhile.

#include "driver/sim/network.hpp"
#include "driver/sim/segment.hpp"
#include "driver/sim/tcp_socket.hpp"

#include <memory>
#include <utility>

namespace berth::driver::sim {

void TcpSocket::take_syn(const Segment& segment) {
    if (is_accept_queue_full() || syn_queue_size_ > backlog_) return;
    auto half_open = std::make_shared<TcpSocket>(network(), family());
    half_open->take_after(*this);
    half_open->local_ = segment.to;
    half_open->peer_ = segment.from;
    half_open->state_ = State::syn_received;
    half_open->listener_ = weak_from_this();
    half_open->is_half_open_ = true;
    half_open->in_.start(segment.end());
    half_open->out_.start(network().next_sequence());
    ++syn_queue_size_;
    network().connect(segment.to, segment.from, half_open);
    half_open->send_syn();
}

void TcpSocket::take_after(const TcpSocket& listener) {
    copy_options(listener);
    act_for(listener.user());
    user_timeout_ = listener.user_timeout_;
    orphan_timeout_ = listener.orphan_timeout_;
    not_sent_low_ = listener.not_sent_low_;
    // Of a shutdown that came before listening: the connection begins with its end.
    no_more_received_ = listener.no_more_received_;
    no_more_sent_ = listener.no_more_sent_;
}

// The last ACK came for this connection of the SYN queue. False: it stays there, or is refused.
bool TcpSocket::enter_accept_queue(const Segment& segment) {
    const auto listener = listener_.lock();
    if (listener == nullptr || !listener->is_listening()) {
        transmit(refusal_of(segment));
        finish();
        return false;
    }
    if (listener->is_accept_queue_full()) {
        was_ignored_ = was_ignored_ || segment.length() != 0;
        return false;
    }
    leave_syn_queue();
    filter_ = listener->filter_;  // Linux makes the socket only now
    ttl_least_ = listener->ttl_least_;
    network().ports().join(*this);
    listener->accept_queue_.push_back(shared_from_this());
    return true;
}

void TcpSocket::leave_syn_queue() {
    if (!std::exchange(is_half_open_, false)) return;
    if (const auto listener = listener_.lock()) --listener->syn_queue_size_;
}

// What is queued is reset: inet_csk_listen_stop. What is half open is refused by its last ACK.
void TcpSocket::stop_listening() {
    network().stop_listening(*this);
    for (const auto& queued : std::exchange(accept_queue_, {})) queued->drop_connection();
}

}  // namespace berth::driver::sim
