// SPDX-License-Identifier: MIT
//
// MessageLink: what carries a connection by sendmsg(2) and recvmsg(2): packets, which keep their
// bounds, and Unix streams whose bytes bring descriptors.
//
// The driver tells when the socket is ready; each call here is of one packet, or of one write. So
// no write is ever split or joined with another, whatever the driver. What the kernel has no room
// for waits here, whole, with the descriptors that go with it.
//
// Lifetime:  Link's. Descriptors that nobody took are closed with it.
// Threads:   the loop's.
// See:       unix(7); docs/guides/unix-sockets.md.

#pragma once

#include "loop/events.hpp"
#include "loop/task.hpp"
#include "net/link.hpp"
#include "net/write_waiter.hpp"

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>
#include <berth/file_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace berth::driver {
struct ReceivedPart;
}

namespace berth::net {

class ConnectionCore;
class ConnectionTable;

struct MessagePlan {
    Scheme scheme = Scheme::unix_packet;
    std::size_t descriptors_max = 0;

    // Nothing: the driver carries it.
    static std::optional<MessagePlan> of(Scheme scheme, std::size_t descriptors_max) {
        const bool is_packet = scheme == Scheme::unix_packet;
        const bool takes_descriptors = scheme == Scheme::unix_stream && descriptors_max > 0;
        if (!is_packet && !takes_descriptors) return std::nullopt;
        return MessagePlan{.scheme = scheme, .descriptors_max = descriptors_max};
    }
};

class MessageLink final : public Link, public loop::WatchEvents, private loop::Task {
public:
    MessageLink(ConnectionCore& connection, ConnectionTable& table, const MessagePlan& plan);
    ~MessageLink() override;

    // An errno, or 0: reads from now on.
    int start();
    // Connects the connection's socket; ConnectionCore::open_messages follows, or an errno.
    int connect(const Endpoint& endpoint);
    // An errno, or 0: sent, or queued as far as it was not. Descriptors that were taken are gone
    // from `attached`. EMSGSIZE: no packet can be so long.
    int write(Bytes bytes, std::span<FileDescriptor> attached);
    bool passes_descriptors() const { return plan_.descriptors_max > 0; }
    std::vector<FileDescriptor> take_descriptors();
    bool has_lost_descriptors();  // since it was asked last
    WriteWaiters& waiters() { return waiters_; }
    void drop_queue();

    // Link
    Scheme scheme() const override { return plan_.scheme; }
    bool keeps_bounds() const override { return plan_.scheme == Scheme::unix_packet; }
    std::size_t queued() const override { return queued_; }
    bool is_put_off() const override { return is_put_off_; }
    MessageLink* as_messages() override { return this; }
    void pause() override;
    void resume() override;
    void close() override;

    // loop::WatchEvents
    void on_ready(driver::Ready ready) override;
    void on_watch_end() override { end(); }

private:
    enum class State : std::uint8_t {
        connecting,
        open,
        closing,  // nothing is watched, or not any more
        closed,
    };
    struct Outgoing {
        Buffer bytes;
        std::vector<FileDescriptor> attached;
    };
    // loop::Task: opening, reading on, closing, outside any call of the user's.
    void run() override;
    void cancel() override { is_posted_ = false; }

    void later();
    bool is_receiving() const { return state_ == State::open && !is_paused_ && !is_ended_; }
    void read();
    void received(const driver::ReceivedPart& part, Bytes bytes);
    void receive_failed(int errno_value);
    void read_late_error();
    void end_input(int errno_value);
    void drop_pending();
    base::Outcome<std::size_t> send(Bytes bytes, std::span<FileDescriptor> attached);
    void flush();
    void end();

    ConnectionCore& connection_;
    ConnectionTable& table_;
    MessagePlan plan_;
    State state_ = State::connecting;
    bool is_watching_ = false;
    bool is_posted_ = false;
    bool is_paused_ = false;
    bool is_ended_ = false;    // the peer's end, or an error, was told
    bool is_put_off_ = false;  // by the budget
    bool has_lost_ = false;
    int error_ = 0;  // that the kernel told before what had come earlier
    std::deque<Outgoing> queue_;
    std::size_t queued_ = 0;
    WriteWaiters waiters_;
    std::vector<driver::Descriptor> pending_;  // to be taken
    std::vector<driver::Descriptor> came_;     // with the last part
};

}  // namespace berth::net
