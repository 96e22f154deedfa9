// SPDX-License-Identifier: MIT
//
// KernelSystem: sockets and those who hold them, as the kernel lists them.

#include "driver/descriptor.hpp"
#include "driver/socket_rows.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"
#include "support/descriptors.hpp"
#include "support/eventually.hpp"
#include "unit/driver/kernel_system_scene.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX, not C++
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace berth::driver {
namespace {

using os::OwnedDescriptor;
using test::of;
using test::parsed;

class RealSockets : public test::RealSystem {
protected:
    std::vector<SocketRow> rows_at(const OwnedDescriptor& socket, SocketStates states = {}) {
        auto rows = system.sockets(Scheme::tcp, local(socket, Scheme::tcp).port(), states);
        EXPECT_TRUE(rows) << rows.errno_value();
        return rows.value_or(std::vector<SocketRow>{});
    }
    std::vector<SocketRow> rows_in(SocketState state, const OwnedDescriptor& socket) {
        return rows_at(socket, SocketStates::of({state}));
    }

    Endpoint loopback = parsed("tcp://127.0.0.1:0");
};

TEST_F(RealSockets, ShowAListenerWithItsQueue) {
    const auto listener = listening(loopback);
    const auto client = connected_to(local(listener, Scheme::tcp));
    const auto rows = rows_in(SocketState::listening, listener);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].local, local(listener, Scheme::tcp).ip());
    EXPECT_EQ(rows[0].peer.family, 0);
    EXPECT_EQ(rows[0].uid, system.user_id());
    EXPECT_EQ(rows[0].inode, *system.inode(of(listener)));
    EXPECT_EQ(rows[0].receive_queue, 1U);
    EXPECT_EQ(rows[0].send_queue, 8U);
}

TEST_F(RealSockets, ShowWhoIsConnectedToWhom) {
    const auto listener = listening(loopback);
    const auto client = connected_to(local(listener, Scheme::tcp));
    const auto rows = rows_in(SocketState::established, client);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].peer, local(listener, Scheme::tcp).ip());
    EXPECT_EQ(rows[0].inode, *system.inode(of(client)));
}

TEST_F(RealSockets, ShowASocketThatIsBoundAndNothingElse) {
    const auto socket = bound(loopback);
    const auto rows = rows_at(socket);
    if (rows.empty()) GTEST_SKIP() << "this kernel does not list bound sockets (Linux 6.7 does)";
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].state, SocketState::bound_inactive);
    EXPECT_EQ(rows[0].inode, *system.inode(of(socket)));
    EXPECT_EQ(rows_in(SocketState::bound_inactive, socket).size(), 1U);
    EXPECT_TRUE(rows_in(SocketState::listening, socket).empty());
}

TEST_F(RealSockets, ShowThatNobodyOwnsWhatIsInTimeWait) {
    const auto listener = listening(loopback);
    {
        const auto client = connected_to(local(listener, Scheme::tcp));
        auto connection = accepted(listener);
        system.close(Descriptor{connection.release()});
    }
    ASSERT_TRUE(
        test::eventually([&] { return rows_in(SocketState::time_wait, listener).size() == 1; }));
    const auto row = rows_in(SocketState::time_wait, listener)[0];
    EXPECT_EQ(row.inode, 0U);
    EXPECT_GT(row.timer, std::chrono::seconds{50});
    EXPECT_LE(row.timer, std::chrono::seconds{61});
}

TEST_F(RealSockets, TellAnIpv6ListenerFromADualStackOne) {
    for (const bool is_v6_only : {true, false}) {
        const auto listener = listening(parsed(is_v6_only ? "tcp6://:0" : "tcp://:0"));
        const auto rows = rows_in(SocketState::listening, listener);
        ASSERT_EQ(rows.size(), 1U);
        EXPECT_EQ(rows[0].is_v6_only, is_v6_only);
        EXPECT_EQ(rows[0].local.family, 6);
    }
}

TEST_F(RealSockets, ShowTheDeviceThatASocketIsBoundTo) {
    const auto socket = open(loopback);
    if (::setsockopt(socket.number(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0) {
        GTEST_SKIP() << "SO_BINDTODEVICE needs CAP_NET_RAW here";
    }
    ASSERT_TRUE(system.bind(of(socket), loopback));
    ASSERT_TRUE(system.listen(of(socket), 1));
    EXPECT_EQ(rows_in(SocketState::listening, socket)[0].local.zone, *os::interface_index("lo"));
}

// More rows than one answer of the kernel holds.
TEST_F(RealSockets, ShowAllOfManyAndThoseOfUdpApart) {
    constexpr std::size_t kMany = 600;
    Endpoint at = parsed("udp://127.0.0.1:0");
    std::vector<OwnedDescriptor> sockets;
    for (std::size_t count = 0; count < kMany; ++count) {
        sockets.push_back(open(at));
        ASSERT_TRUE(system.set(of(sockets.back()), SocketOption::reuse_port, 1));
        ASSERT_TRUE(system.bind(of(sockets.back()), at));
        at = local(sockets.back(), Scheme::udp);
    }
    // By inode: others may use the same port over TCP, or on another address.
    std::set<std::uint64_t> ours;
    for (const OwnedDescriptor& socket : sockets) ours.insert(*system.inode(of(socket)));
    const auto is_ours = [&](const auto& row) { return ours.contains(row.inode); };
    const auto over_udp = *system.sockets(Scheme::udp, at.port());
    EXPECT_EQ(std::ranges::count_if(over_udp, is_ours), std::ssize(ours));
    EXPECT_TRUE(std::ranges::none_of(*system.sockets(Scheme::tcp, at.port()), is_ours));
}

// ── Unix ─────────────────────────────────────────────────────────────────────────────────────

TEST_F(RealSockets, ShowAUnixListenerAndItsFile) {
    const auto listener = listening(at_path);
    const auto client = connected_to(at_path);
    const auto rows = *system.unix_sockets(path);
    const auto row = std::ranges::find_if(rows, &UnixRow::is_listening);
    ASSERT_NE(row, rows.end());
    EXPECT_EQ(row->name, path);
    EXPECT_EQ(row->type, SOCK_STREAM);
    EXPECT_EQ(row->inode, *system.inode(of(listener)));
    EXPECT_EQ(row->uid, system.user_id());
    EXPECT_EQ(row->file_inode, system.inspect(path)->inode);
    EXPECT_EQ(row->file_device, system.inspect(path)->device);
}

TEST_F(RealSockets, FindASocketThatWasRenamedToThePath) {
    const auto socket = bound(Endpoint{Scheme::unix_stream, directory.file("b.sock")});
    ASSERT_TRUE(system.rename(directory.file("b.sock"), path));
    const auto rows = *system.unix_sockets(path);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].inode, *system.inode(of(socket)));
    EXPECT_EQ(rows[0].name, directory.file("b.sock"));
}

TEST_F(RealSockets, FindAnAbstractName) {
    const Endpoint abstract{Scheme::unix_datagram, "@" + path};
    const auto socket = bound(abstract);
    const auto rows = *system.unix_sockets("@" + path);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].type, SOCK_DGRAM);
    EXPECT_FALSE(rows[0].is_listening);
    EXPECT_EQ(rows[0].file_inode, 0U);
    EXPECT_TRUE(system.unix_sockets("@none" + path)->empty());
}

// ── Holders ──────────────────────────────────────────────────────────────────────────────────

TEST_F(RealSockets, AreHeldByThisProcess) {
    const auto listener = listening(loopback);
    const auto holders = system.holders(std::array{*system.inode(of(listener))});
    ASSERT_EQ(holders.size(), 1U);
    EXPECT_EQ(holders[0].pid, ::getpid());
    EXPECT_EQ(holders[0].parent, ::getppid());
    EXPECT_EQ(holders[0].fd, listener.number());
    EXPECT_EQ(holders[0].uid, ::geteuid());
    EXPECT_TRUE(holders[0].executable.ends_with("/" + holders[0].command.substr(0, 15)) ||
                holders[0].executable.contains(holders[0].command));
    ASSERT_TRUE(holders[0].since);
    const auto age = std::chrono::system_clock::now() - *holders[0].since;
    EXPECT_GE(age, std::chrono::seconds{-2});  // the boot time is known to the second
    EXPECT_LE(age, std::chrono::hours{1});
}

TEST_F(RealSockets, AreHeldByAChildThatInheritedThem) {
    const auto listener = listening(loopback);
    const auto inode = *system.inode(of(listener));
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    const auto holders = system.holders(std::array{inode});
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_EQ(holders.size(), 2U);
    const auto its = std::ranges::find(holders, std::int64_t{child}, &SocketHolder::pid);
    ASSERT_NE(its, holders.end());
    EXPECT_EQ(its->parent, ::getpid());
    EXPECT_EQ(system.holders(std::array{inode}).size(), 1U);
}

TEST_F(RealSockets, AreHeldByNobodyWithoutAnInode) {
    EXPECT_TRUE(system.holders({}).empty());
    EXPECT_TRUE(system.holders(std::array{std::uint64_t{0}}).empty());
}

TEST_F(RealSockets, AreSeenWithOneDescriptorLeft) {
    const auto listener = listening(loopback);
    const auto port = local(listener, Scheme::tcp).port();
    const auto inode = *system.inode(of(listener));
    const auto reserve = *system.open_reserve();
    const test::DescriptorFamine famine;
    system.close(reserve);
    EXPECT_EQ(system.sockets(Scheme::tcp, port)->size(), 1U);
    EXPECT_EQ(system.holders(std::array{inode}).size(), 1U);
}

// ── Users and ports ──────────────────────────────────────────────────────────────────────────

TEST_F(RealSockets, KnowTheNameOfRoot) {
    EXPECT_EQ(system.user_name(0), "root");
    EXPECT_EQ(system.user_name(4'000'000'000), "");
}

TEST_F(RealSockets, KnowWhereConnectionsGetTheirPorts) {
    const auto range = system.ephemeral_ports();
    EXPECT_LE(range.first, range.last);
    const auto listener = listening(loopback);
    const auto client = connected_to(local(listener, Scheme::tcp));
    EXPECT_TRUE(range.has(local(client, Scheme::tcp).port()));
}

}  // namespace
}  // namespace berth::driver
