// SPDX-License-Identifier: MIT
//
// SimWorld: a world in a simulated kernel, with the simulated driver, on a calm day or in a storm.
//
// The driver's process and the peers' are two of one kernel. In a storm everything is late, in
// pieces and out of order, as the seed decides: the test's own, or BERTH_TEST_SEED.

#pragma once

#include "conformance/world.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/process.hpp"
#include "driver/sim/sim_system.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace berth::conformance {

class SimWorld final : public World {
public:
    explicit SimWorld(driver::sim::Family family, const driver::sim::Weather& weather = {});
    static std::unique_ptr<World> over_tcp();
    static std::unique_ptr<World> over_unix();
    static std::unique_ptr<World> over_tcp_in_a_storm();

    driver::System& system() override { return system_; }
    std::unique_ptr<test::Peer> connect(const Endpoint& to, PeerBuffer buffer) override;
    using World::connect;
    std::unique_ptr<test::PeerListener> peer_listener() override;
    std::unique_ptr<test::DatagramPeer> datagram_peer() override;
    void during_descriptor_famine(UniqueFunction<void()> act) override;
    // A millisecond of ours is one of theirs.
    Duration poll_beside_threads(Duration most) override;
    std::string to_repeat() const override;

private:
    driver::Outcome<std::unique_ptr<driver::Driver>> open_driver(
        RecordingSink& sink, const driver::Bounds& bounds) override;
    Endpoint fresh_endpoint() override;
    bool kernel_allocates() const override { return true; }

    driver::sim::Family family_;
    std::uint64_t seed_;
    driver::sim::Kernel kernel_;
    driver::sim::Process drivers_{kernel_};
    driver::sim::Process peers_{kernel_};
    driver::sim::SimSystem system_{drivers_};
    int names_used_ = 0;
};

}  // namespace berth::conformance
