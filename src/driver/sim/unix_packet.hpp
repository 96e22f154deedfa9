// SPDX-License-Identifier: MIT
//
// UnixPacket: whole messages between two local sockets, and descriptors that travel with them.
//
// See:       unix_socket.hpp for how they meet and part; unix(7), SCM_RIGHTS.

#pragma once

#include "base/outcome.hpp"
#include "driver/sim/network.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/socket.hpp"
#include "driver/sim/unix_socket.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <deque>
#include <memory>

namespace berth::driver::sim {

class UnixPacket final : public UnixConnection {
public:
    explicit UnixPacket(Network& network) : UnixConnection(network, Kind::packet) {}

    Outcome<void> send_letter(Letter&& letter) override;
    Outcome<Letter> receive_letter() override;

    Outcome<std::size_t> send(Bytes bytes) override;
    Outcome<std::size_t> send_to(const Endpoint&, Bytes bytes) override { return send(bytes); }
    Outcome<std::size_t> receive(MutableBytes into) override;

private:
    std::shared_ptr<UnixConnection> make_another() override {
        return std::make_shared<UnixPacket>(network());
    }
    UnixPacket* peer() const { return static_cast<UnixPacket*>(UnixConnection::peer()); }
    std::size_t unread() const override { return cost_; }
    bool has_room() const override {
        return peer() == nullptr || 4 * peer()->cost_ <= send_buffer_;
    }

    std::deque<Letter> received_;
    std::size_t cost_ = 0;  // of those
};

}  // namespace berth::driver::sim
