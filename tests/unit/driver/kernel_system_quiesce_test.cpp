// SPDX-License-Identifier: MIT
//
// KernelSystem: nobody new reaches a listener, and who is on the way still arrives.
//
// Method: clients that do not wait: on the loopback a SYN has been dealt with, or dropped, when
// connect(2) returns. Filters need CAP_NET_ADMIN on TCP, the bound on the TTL needs nothing.

#include "driver/descriptor.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"
#include "unit/driver/kernel_system_scene.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>

namespace berth::driver {
namespace {

using os::OwnedDescriptor;
using test::becomes_readable;
using test::of;
using test::parsed;

class RealQuiesce : public test::RealSystem {
protected:
    // A client that has sent its SYN. Its descriptor, and what the listener's port is.
    OwnedDescriptor knocking_at(const Endpoint& listener) {
        auto client = open(listener);
        EXPECT_EQ(system.connect(of(client), listener).errno_value(), EINPROGRESS);
        return client;
    }
    bool is_connected(const OwnedDescriptor& client) {
        return system.peer_endpoint(of(client), Scheme::tcp).has_value();
    }
    SocketState state_of(const OwnedDescriptor& client) {
        // Somebody else's socket may have the same port, towards another peer.
        const auto rows = system.sockets(Scheme::tcp, local(client, Scheme::tcp).port());
        const auto inode = system.inode(of(client));
        if (!rows || !inode) return SocketState::closed;
        const auto row = std::ranges::find(*rows, *inode, &SocketRow::inode);
        return row == rows->end() ? SocketState::closed : row->state;
    }
    bool may_filter() { return system.drop_everything(of(bound(loopback))).errno_value() != EPERM; }

    Endpoint loopback = parsed("tcp://127.0.0.1:0");
};

TEST_F(RealQuiesce, DropsHandshakesButServesWhoHasConnected) {
    if (!may_filter()) GTEST_SKIP() << "a filter on TCP needs CAP_NET_ADMIN";
    const auto listener = listening(loopback);
    const auto queued = connected_to(local(listener, Scheme::tcp));
    ASSERT_TRUE(system.drop_handshakes(of(listener)));
    const auto late = knocking_at(local(listener, Scheme::tcp));

    EXPECT_EQ(state_of(late), SocketState::syn_sent);
    EXPECT_TRUE(is_connected(queued));
    const auto served = accepted(listener);
    EXPECT_EQ(system.accept(of(listener)).errno_value(), EAGAIN);
}

TEST_F(RealQuiesce, AcceptsAgainWithoutItsFilter) {
    if (!may_filter()) GTEST_SKIP() << "a filter on TCP needs CAP_NET_ADMIN";
    const auto listener = listening(loopback);
    ASSERT_TRUE(system.drop_everything(of(listener)));
    const auto dropped = knocking_at(local(listener, Scheme::tcp));
    EXPECT_EQ(system.accept(of(listener)).errno_value(), EAGAIN);
    ASSERT_TRUE(system.remove_filter(of(listener)));
    const auto client = connected_to(local(listener, Scheme::tcp));
    EXPECT_TRUE(is_connected(client));
}

TEST_F(RealQuiesce, HasNoFilterToRemoveAtFirst) {
    const auto socket = bound(loopback);
    EXPECT_EQ(system.remove_filter(of(socket)).errno_value(), ENOENT);
}

TEST_F(RealQuiesce, LetsNobodyInWhoseTtlIsTooLow) {
    const auto listener = listening(loopback);
    const auto queued = connected_to(local(listener, Scheme::tcp));
    ASSERT_TRUE(system.require_ttl(of(listener), 255));
    const auto late = knocking_at(local(listener, Scheme::tcp));
    EXPECT_EQ(state_of(late), SocketState::syn_sent);
    const auto served = accepted(listener);
    EXPECT_EQ(system.accept(of(listener)).errno_value(), EAGAIN);

    ASSERT_TRUE(system.require_ttl(of(listener), 0));
    EXPECT_TRUE(is_connected(connected_to(local(listener, Scheme::tcp))));
}

TEST_F(RealQuiesce, BoundsTheTtlOfBothFamiliesOnADualStackListener) {
    if (!has_v6_loopback()) GTEST_SKIP() << "this machine has no [::1]";
    const auto listener = listening(parsed("tcp://:0"));
    ASSERT_TRUE(system.require_ttl(of(listener), 255));
    for (const char* host : {"tcp://127.0.0.1:", "tcp://[::1]:"}) {
        const auto client = knocking_at(parsed(host + port_of(listener)));
        EXPECT_EQ(state_of(client), SocketState::syn_sent) << host;
    }
    EXPECT_EQ(system.accept(of(listener)).errno_value(), EAGAIN);
}

TEST_F(RealQuiesce, BoundsTheHopLimitOfAnIpv6OnlyListener) {
    if (!has_v6_loopback()) GTEST_SKIP() << "this machine has no [::1]";
    const auto listener = listening(parsed("tcp6://[::1]:0"));
    ASSERT_TRUE(system.require_ttl(of(listener), 255));
    const auto client = knocking_at(local(listener, Scheme::tcp6));
    EXPECT_EQ(state_of(client), SocketState::syn_sent);
}

TEST_F(RealQuiesce, ConnectsWithoutWaiting) {
    const auto listener = listening(loopback);
    const auto client = knocking_at(local(listener, Scheme::tcp));
    const auto connection = accepted(listener);
    EXPECT_EQ(*system.peer_endpoint(of(connection), Scheme::tcp), local(client, Scheme::tcp));
}

TEST_F(RealQuiesce, ConnectsToADualStackWildcard) {
    const auto listener = listening(parsed("tcp://:0"));
    const auto client = knocking_at(local(listener, Scheme::tcp));
    EXPECT_TRUE(becomes_readable(listener.number()));
}

}  // namespace
}  // namespace berth::driver
