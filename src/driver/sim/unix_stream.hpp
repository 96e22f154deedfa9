// SPDX-License-Identifier: MIT
//
// UnixStream: bytes between two local sockets.
//
// See:       unix_socket.hpp for how they meet and part.

#pragma once

#include "base/byte_queue.hpp"
#include "base/outcome.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/unix_socket.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <memory>

namespace berth::driver::sim {

class UnixStream final : public UnixConnection {
public:
    explicit UnixStream(Network& network) : UnixConnection(network, Kind::stream) {}

    Outcome<std::size_t> send(Bytes bytes) override;
    Outcome<std::size_t> send_to(const Endpoint& endpoint, Bytes bytes) override;
    Outcome<std::size_t> receive(MutableBytes into) override;

private:
    std::shared_ptr<UnixConnection> make_another() override {
        return std::make_shared<UnixStream>(network());
    }
    UnixStream* peer() const { return static_cast<UnixStream*>(UnixConnection::peer()); }
    std::size_t unread() const override { return received_.size(); }
    bool has_room() const override;

    base::ByteQueue received_;
};

}  // namespace berth::driver::sim
