// SPDX-License-Identifier: MIT
//
// TcpSocket: one end of a TCP connection, or a listener.
//
// The states are those of RFC 9293, the errnos and the edges those of Linux: comments name what
// they follow. Where it is in tcp_*.cpp: calls in tcp_socket, segments that come in tcp_input,
// those that go out in tcp_output, the two queues of a listener in tcp_listener.
//
// Left out: congestion, delayed acknowledgements and Nagle's algorithm (every segment is sent and
// acknowledged at once), the tuning of buffers, and their exact size: a buffer holds as many
// bytes as Linux would count for it, a receive buffer half of them, as the window does there.
// SYN cookies: a full SYN queue ignores. TCP_USER_TIMEOUT while connecting.
//
// Lifetime:  shared by its descriptor and by the network while it is connected, so that it
//            finishes alone; by the listener while it is queued.
// Threads:   one.
// See:       tcp(7), RFC 9293.

#pragma once

#include "base/outcome.hpp"
#include "driver/sim/agenda.hpp"
#include "driver/sim/inet_socket.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/segment.hpp"
#include "driver/sim/socket.hpp"
#include "driver/sim/tcp_queues.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace berth::driver::sim {

class TcpSocket final : public InetSocket,
                        public TcpEnd,
                        public std::enable_shared_from_this<TcpSocket> {
public:
    TcpSocket(Network& network, Family family);
    ~TcpSocket() override;

    bool is_listening() const override { return state_ == State::listening; }

    // ── Calls ────────────────────────────────────────────────────────────────────────────────
    Outcome<void> listen(int backlog) override;
    Outcome<void> connect(const Endpoint& endpoint) override;
    Outcome<std::shared_ptr<Socket>> accept() override;
    Outcome<std::size_t> send(Bytes bytes) override;
    Outcome<std::size_t> send_to(const Endpoint&, Bytes bytes) override { return send(bytes); }
    Outcome<std::size_t> receive(MutableBytes into) override;
    Outcome<void> shutdown(Shut what) override;
    Outcome<void> disconnect() override {
        drop_connection();
        return {};
    }
    void close() override;

    Outcome<void> set(SocketOption option, int value) override;
    Outcome<Endpoint> peer_endpoint(Scheme scheme) const override;
    IpEndpoint peer_when_accepted() const override { return as_ip(peer_); }
    Outcome<std::size_t> unacknowledged() const override;
    Outcome<std::size_t> never_sent() const override;
    Readiness readiness() const override;
    SocketRow row() const override;
    Outcome<void> attach(Filter filter) override;
    Outcome<void> require_ttl(int least) override;

    // ── Segments ─────────────────────────────────────────────────────────────────────────────
    void take(Segment& segment) override;

private:
    enum class State : std::uint8_t {
        closed,
        listening,
        syn_sent,
        syn_received,
        established,
        fin_wait_1,
        fin_wait_2,
        close_wait,
        closing,
        last_ack,
    };
    // How far connect(2) has got, which it tells only when it is called again.
    enum class Connect : std::uint8_t { not_called, called, done, given_up };

    bool is_in(auto... states) const { return ((state_ == states) || ...); }
    SocketState state_in_rows() const;
    std::size_t send_room() const;
    std::size_t window_max() const { return receive_buffer_ / 2; }

    // ── Calls: tcp_socket.cpp ────────────────────────────────────────────────────────────────
    Outcome<void> connect_to(const Endpoint& endpoint);
    Outcome<void> end_failed_connect();
    void drop_connection();  // tcp_disconnect
    // Out of the network. What was received can still be read.
    void become_closed();
    void finish();  // the same, and nothing more can be sent or received: tcp_done
    // A row without a socket finishes what remains.
    void leave_behind_time_wait(bool has_peer_ended);

    // ── Segments that come: tcp_input.cpp ────────────────────────────────────────────────────
    bool is_deaf_to(const Segment& segment) const;
    void listen_again();
    void ask_for_missed();
    void take_answer(Segment& segment);
    bool take_last_of_handshake(Segment& segment);
    void take_handshake_again();
    void take_acknowledgement(const Segment& segment);
    void take_text(const Segment& segment);  // bytes and FIN
    void take_bytes(const Segment& segment);
    void take_fin(const Segment& segment);
    void reset_by_peer();

    // ── Segments that go: tcp_output.cpp ─────────────────────────────────────────────────────
    Segment segment();
    void transmit(Segment segment);
    void send_syn();  // or SYN and ACK; again and again, until it is answered
    void retry_syn();
    bool send_due();  // true if anything was
    void acknowledge(bool gap = false);
    void send_reset();
    void end_sending();  // queues the FIN
    // Gives up when nothing is acknowledged for too long: TCP_USER_TIMEOUT, or nobody cares.
    void watch_progress(bool anew);
    void give_up();

    // ── As a listener: tcp_listener.cpp ──────────────────────────────────────────────────────
    void take_syn(const Segment& segment);
    void take_after(const TcpSocket& listener);
    bool is_accept_queue_full() const { return accept_queue_.size() > backlog_; }
    bool enter_accept_queue(const Segment& segment);
    void leave_syn_queue();
    void stop_listening();

    State state_ = State::closed;
    Connect connect_ = Connect::not_called;
    bool has_peer_ended_ = false;  // its FIN came
    bool is_orphan_ = false;       // its descriptor is gone
    SendQueue out_;
    ReceiveQueue in_;
    Instant arrival_last_;  // of a segment sent: none overtakes another
    Timer timer_;           // of the SYN; later of progress
    unsigned syns_sent_ = 0;

    Duration user_timeout_{};
    std::size_t not_sent_low_ = 0;
    int orphan_timeout_ = 0;            // TCP_LINGER2; 0: the kernel's, less: none at all
    int ttl_least_ = 0;                 // IP_MINTTL
    std::optional<Instant> missed_at_;  // it was deaf to something
    Timer missed_timer_;

    // Of a connection that is not accepted yet.
    std::weak_ptr<TcpSocket> listener_;
    bool is_half_open_ = false;  // it is in the SYN queue
    bool was_ignored_ = false;   // it sent something while there was no room in the accept queue

    // Of a listener.
    std::size_t backlog_ = 0;
    std::deque<std::shared_ptr<TcpSocket>> accept_queue_;
    std::size_t syn_queue_size_ = 0;
};

}  // namespace berth::driver::sim
