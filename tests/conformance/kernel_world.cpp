// SPDX-License-Identifier: MIT
//
// KernelWorld: raw peers from tests/support, endpoints on loopback or in a temporary folder.

#include "conformance/kernel_world.hpp"

#include "driver/kernel_system.hpp"
#include "support/descriptors.hpp"
#include "support/raw_datagram.hpp"
#include "support/raw_socket.hpp"

namespace berth::conformance {

driver::System& KernelWorld::system() { return driver::kernel_system(); }

std::unique_ptr<test::Peer> KernelWorld::connect(const Endpoint& to, PeerBuffer buffer) {
    return std::make_unique<test::RawPeer>(buffer == PeerBuffer::small
                                               ? test::RawPeer::connect_with_small_buffer(to)
                                               : test::RawPeer::connect(to));
}

std::unique_ptr<test::PeerListener> KernelWorld::peer_listener() {
    return std::make_unique<test::RawListener>(fresh_endpoint());
}

std::unique_ptr<test::DatagramPeer> KernelWorld::datagram_peer() {
    return std::make_unique<test::RawDatagramSocket>(
        Endpoint{Scheme::udp, test::loopback_endpoint().ip()});
}

void KernelWorld::during_descriptor_famine(UniqueFunction<void()> act) {
    const test::DescriptorFamine famine;
    act();
}

Endpoint KernelWorld::fresh_endpoint() {
    if (family_ == Family::tcp) return test::loopback_endpoint();
    return {Scheme::unix_stream, directory_.file(std::to_string(++names_used_))};
}

}  // namespace berth::conformance
