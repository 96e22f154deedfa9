// SPDX-License-Identifier: MIT
//
// SimWorld: seeds, the storm, and processes instead of raw sockets.

#include "conformance/sim_world.hpp"

#include "conformance/sim_peer.hpp"
#include "driver/sim/sim_driver.hpp"
#include "support/raw_socket.hpp"

#include <chrono>
#include <cstdlib>

namespace berth::conformance {

using driver::sim::Family;
using driver::sim::Weather;

namespace {

constexpr Weather kStorm{.travel_max = std::chrono::milliseconds{2},
                         .call_max = std::chrono::microseconds{20},
                         .partial_send = 3,
                         .partial_receive = 3,
                         .refused_send = 5,
                         .late_completion = 3,
                         .cut_short_poll = 4};

std::string name_of_test() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    return std::string{test->test_suite_name()} + "." + test->name();
}

// FNV-1a of the test's name: each test has its own storm, and the same one in every run.
std::uint64_t seed_of_test() {
    const char* given = std::getenv("BERTH_TEST_SEED");
    if (given != nullptr) return std::strtoull(given, nullptr, 10);
    std::uint64_t seed = 0xcbf2'9ce4'8422'2325U;
    for (const char letter : name_of_test()) {
        seed = (seed ^ static_cast<unsigned char>(letter)) * 0x100'0000'01b3U;
    }
    return seed;
}

}  // namespace

SimWorld::SimWorld(Family family, const Weather& weather)
    : family_(family), seed_(seed_of_test()), kernel_(seed_, weather) {}

std::unique_ptr<World> SimWorld::over_tcp() { return std::make_unique<SimWorld>(Family::v4); }

std::unique_ptr<World> SimWorld::over_unix() { return std::make_unique<SimWorld>(Family::local); }

std::unique_ptr<World> SimWorld::over_tcp_in_a_storm() {
    return std::make_unique<SimWorld>(Family::v4, kStorm);
}

std::unique_ptr<test::Peer> SimWorld::connect(const Endpoint& to, PeerBuffer buffer) {
    return SimPeer::connect(peers_, to, buffer == PeerBuffer::small);
}

std::unique_ptr<test::PeerListener> SimWorld::peer_listener() {
    return std::make_unique<SimListener>(peers_, fresh_endpoint());
}

std::unique_ptr<test::DatagramPeer> SimWorld::datagram_peer() {
    return std::make_unique<SimDatagramPeer>(peers_,
                                             Endpoint{Scheme::udp, test::loopback_endpoint().ip()});
}

void SimWorld::during_descriptor_famine(UniqueFunction<void()> act) {
    const std::size_t before = drivers_.descriptors_max();
    drivers_.limit_descriptors(0);
    act();
    drivers_.limit_descriptors(before);
}

Duration SimWorld::poll_beside_threads(Duration most) {
    const auto& poller = static_cast<const driver::sim::SimPoller&>(unchecked_driver());
    const Instant begin = kernel_.now();
    while (!poller.is_ready() && kernel_.now() - begin < most) {
        test::let_others_run();
        kernel_.advance(kernel_.now() + std::chrono::milliseconds{1});
    }
    poll_within(Duration::zero());
    return kernel_.now() - begin;
}

std::string SimWorld::to_repeat() const {
    return "repeat: BERTH_TEST_SEED=" + std::to_string(seed_) +
           " berth_conformance_tests --gtest_filter=" + name_of_test();
}

driver::Outcome<std::unique_ptr<driver::Driver>> SimWorld::open_driver(
    RecordingSink& sink, const driver::Bounds& bounds) {
    return driver::sim::SimDriver<RecordingSink>::open(sink, drivers_, bounds);
}

Endpoint SimWorld::fresh_endpoint() {
    if (family_ == Family::v4) return test::loopback_endpoint();
    return {Scheme::unix_stream, "/run/" + std::to_string(++names_used_)};
}

}  // namespace berth::conformance
