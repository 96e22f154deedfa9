// SPDX-License-Identifier: MIT
//
// KernelWorld: a world on the real kernel, over TCP loopback or Unix sockets. Only the driver
// is missing.

#pragma once

#include "conformance/world.hpp"
#include "support/temp_dir.hpp"

namespace berth::conformance {

class KernelWorld : public World {
public:
    enum class Family { tcp, unix_stream };

    driver::System& system() override;
    std::unique_ptr<test::Peer> connect(const Endpoint& to, PeerBuffer buffer) override;
    using World::connect;
    std::unique_ptr<test::PeerListener> peer_listener() override;
    std::unique_ptr<test::DatagramPeer> datagram_peer() override;
    void during_descriptor_famine(UniqueFunction<void()> act) override;

protected:
    explicit KernelWorld(Family family) : family_(family) {}
    Endpoint fresh_endpoint() override;

private:
    Family family_;
    test::TempDir directory_;
    int names_used_ = 0;
};

}  // namespace berth::conformance
