// SPDX-License-Identifier: MIT
//
// UnixSocket, UnixConnection, UnixDatagram: local sockets, by name.
//
// Nothing travels: what one end of a connection sends is in the queue of the other at once, and so
// is the end. What is sent is the business of unix_stream.hpp and unix_packet.hpp. Of datagram
// sockets there is only what asking for a path's owner needs.
//
// Lifetime:  their descriptors', or the accept queue's. The two ends of a connection know each
//            other until one is closed.
// Threads:   one.
// See:       unix(7).

#pragma once

#include "base/outcome.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/socket.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace berth::driver::sim {

class UnixSocket : public Socket {
public:
    UnixSocket(Network& network, Kind kind) : Socket(network, Family::local), kind_(kind) {}
    ~UnixSocket() override;

    Kind kind() const { return kind_; }
    const std::string& name() const { return name_; }

    Outcome<void> bind(const Endpoint& endpoint) override;
    Outcome<void> set(SocketOption option, int value) override;
    Outcome<Endpoint> local_endpoint(Scheme scheme) const override;
    void close() override;
    std::optional<UnixRow> unix_row() const override;
    virtual bool is_listening() const { return false; }

protected:
    // Who stands behind a name, of this kind.
    Outcome<UnixSocket*> find(const std::string& name) const;

    std::string name_;

private:
    Kind kind_;
    bool is_bound_ = false;  // as opposed to named after the listener it came from
};

class UnixConnection : public UnixSocket {
public:
    using UnixSocket::UnixSocket;

    bool is_listening() const override { return state_ == State::listening; }

    Outcome<void> listen(int backlog) override;
    Outcome<void> connect(const Endpoint& endpoint) override;
    Outcome<std::shared_ptr<Socket>> accept() override;
    Outcome<void> shutdown(Shut what) override;
    void close() override;

    Outcome<Endpoint> peer_endpoint(Scheme scheme) const override;
    Outcome<std::size_t> unacknowledged() const override;
    Readiness readiness() const override;
    PeerCredentials peer_credentials() const override { return peer_user_; }

    // socketpair(2).
    void marry(UnixConnection& other);

protected:
    enum class State : std::uint8_t { closed, listening, established };

    State state() const { return state_; }
    UnixConnection* peer() const { return peer_; }
    bool may_peer_receive() const { return peer_ != nullptr && !peer_->no_more_received_; }
    // What the peer has sent, and nobody has received: in bytes.
    virtual std::size_t unread() const = 0;
    // Is there room for more than a little?
    virtual bool has_room() const = 0;

private:
    virtual std::shared_ptr<UnixConnection> make_another() = 0;
    void hang_up_peer(bool has_lost_bytes);

    State state_ = State::closed;
    UnixConnection* peer_ = nullptr;  // null before there is one, and after
    std::string peer_name_;           // of one that is gone
    PeerCredentials peer_user_ = kNobody;

    std::size_t backlog_ = 0;
    std::deque<std::shared_ptr<UnixConnection>> accept_queue_;
};

class UnixDatagram final : public UnixSocket {
public:
    explicit UnixDatagram(Network& network) : UnixSocket(network, Kind::datagram) {}

    Outcome<void> connect(const Endpoint& endpoint) override;
    Outcome<std::size_t> send(Bytes bytes) override;
    Outcome<std::size_t> send_to(const Endpoint& endpoint, Bytes bytes) override;
    Outcome<std::size_t> receive(MutableBytes into) override;
    Outcome<void> shutdown(Shut) override { return {}; }

    Outcome<Endpoint> peer_endpoint(Scheme scheme) const override;
    Outcome<std::size_t> unacknowledged() const override { return 0U; }
    Readiness readiness() const override { return {.writable = true}; }

private:
    std::string peer_;
};

}  // namespace berth::driver::sim
