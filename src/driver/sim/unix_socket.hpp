// SPDX-License-Identifier: MIT
//
// UnixSocket, UnixStream, UnixDatagram: local sockets, by name.
//
// Nothing travels: what one end of a stream sends is in the queue of the other at once, and so is
// the end. Of datagram sockets there is only what asking for a path's owner needs.
//
// Lifetime:  their descriptor's, or the accept queue's. The two ends of a stream know each other
//            until one is closed.
// Threads:   one.
// See:       unix(7).

#pragma once

#include "base/byte_queue.hpp"
#include "base/outcome.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/socket.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
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

protected:
    // Who stands behind a name, of this kind.
    Outcome<UnixSocket*> find(const std::string& name) const;

    std::string name_;

private:
    Kind kind_;
    bool is_bound_ = false;  // as opposed to named after the listener it came from
};

class UnixStream final : public UnixSocket {
public:
    explicit UnixStream(Network& network) : UnixSocket(network, Kind::stream) {}

    Outcome<void> listen(int backlog) override;
    Outcome<void> connect(const Endpoint& endpoint) override;
    Outcome<std::shared_ptr<Socket>> accept() override;
    Outcome<std::size_t> send(Bytes bytes) override;
    Outcome<std::size_t> send_to(const Endpoint& endpoint, Bytes bytes) override;
    Outcome<std::size_t> receive(MutableBytes into) override;
    Outcome<void> shutdown(Shut what) override;
    void close() override;

    Outcome<Endpoint> peer_endpoint(Scheme scheme) const override;
    Outcome<std::size_t> unacknowledged() const override;
    Readiness readiness() const override;

private:
    enum class State : std::uint8_t { closed, listening, established };

    void hang_up_peer(bool has_lost_bytes);

    State state_ = State::closed;
    UnixStream* peer_ = nullptr;  // null before there is one, and after
    std::string peer_name_;       // of one that is gone
    base::ByteQueue received_;

    std::size_t backlog_ = 0;
    std::deque<std::shared_ptr<UnixStream>> accept_queue_;
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
