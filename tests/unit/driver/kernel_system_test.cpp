// SPDX-License-Identifier: MIT
//
// KernelSystem: what system.hpp promises, on the real kernel.
//
// Method: loopback with port 0, Unix paths in a fresh directory, sockets made through the system.

#include "driver/kernel_system.hpp"

#include "driver/descriptor.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"
#include "os/socket_address.hpp"
#include "support/eventually.hpp"
#include "unit/driver/kernel_system_scene.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace berth::driver {
namespace {

using os::OwnedDescriptor;
using test::becomes_readable;
using test::of;
using test::parsed;
using RealSystem = test::RealSystem;

// ── Addresses ────────────────────────────────────────────────────────────────────────────────

TEST_F(RealSystem, ShowsThePortThatReplacedPortZero) {
    const auto listener = listening(parsed("tcp://127.0.0.1:0"));
    const auto endpoint = local(listener, Scheme::tcp);
    EXPECT_GT(endpoint.port(), 0);
    EXPECT_EQ(endpoint.to_string(), "tcp://127.0.0.1:" + std::to_string(endpoint.port()));
}

TEST_F(RealSystem, ServesBothFamiliesOnATcpWildcard) {
    if (!has_v6_loopback()) GTEST_SKIP() << "this machine has no [::1]";
    const auto listener = listening(parsed("tcp://:0"));
    const auto port = port_of(listener);
    const auto v4 = connected_to(parsed("tcp://127.0.0.1:" + port));
    const auto v4_peer = accepted(listener);
    const auto v6 = connected_to(parsed("tcp://[::1]:" + port));
    const auto v6_peer = accepted(listener);
    EXPECT_EQ(system.peer_endpoint(of(v4_peer), Scheme::tcp)->ip().family, 4);
    EXPECT_EQ(system.peer_endpoint(of(v6_peer), Scheme::tcp)->ip().family, 6);
}

TEST_F(RealSystem, ShowsAnIpv4PeerOfADualStackListenerAsIpv4) {
    const auto listener = listening(parsed("tcp://:0"));
    const auto client = connected_to(parsed("tcp://127.0.0.1:" + port_of(listener)));
    const auto connection = accepted(listener);
    EXPECT_EQ(*system.peer_endpoint(of(connection), Scheme::tcp), local(client, Scheme::tcp));
    EXPECT_EQ(system.local_endpoint(of(connection), Scheme::tcp)->ip().family, 4);
}

TEST_F(RealSystem, LeavesIpv4FreeOnATcp6Wildcard) {
    const auto is_free_beside = [&] {
        const auto v6 = listening(parsed("tcp6://:0"));
        const auto port = port_of(v6);
        const auto v4 = open(parsed("tcp4://:" + port));
        return system.bind(of(v4), parsed("tcp4://:" + port)).has_value();
    };
    EXPECT_TRUE(test::eventually(is_free_beside)) << "others may have one of these ports for IPv4";
}

TEST_F(RealSystem, TakesIpv4TooOnATcpWildcard) {
    const auto both = listening(parsed("tcp://:0"));
    const auto port = port_of(both);
    const auto v4 = open(parsed("tcp4://:" + port));
    EXPECT_EQ(system.bind(of(v4), parsed("tcp4://:" + port)).errno_value(), EADDRINUSE);
}

TEST_F(RealSystem, ShowsAbstractAndPathNames) {
    const Endpoint abstract{Scheme::unix_stream, "@" + path};
    EXPECT_EQ(local(bound(abstract), Scheme::unix_stream), abstract);
    EXPECT_EQ(local(bound(at_path), Scheme::unix_stream), at_path);
}

TEST_F(RealSystem, ShowsAnUnnamedUnixPeer) {
    const auto listener = listening(at_path);
    const auto client = connected_to(at_path);
    const auto peer = system.accept(of(listener));
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->peer.family, 0);
    EXPECT_EQ(system.peer_endpoint(peer->descriptor, Scheme::unix_stream)->to_string(), "unix:");
    system.close(peer->descriptor);
}

// ── Without IPv6 ─────────────────────────────────────────────────────────────────────────────

// Makes socket(AF_INET6) answer EAFNOSUPPORT in this process, as on a kernel booted with
// ipv6.disable=1 (seccomp(2)).
bool take_ipv6_away() {
    std::array program{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_F(RealSystem, ServesIpv4OnATcpWildcardWithoutIpv6) {
    const auto serve = [&] {
        if (!take_ipv6_away()) std::_Exit(2);
        const auto listener = listening(parsed("tcp://:0"));
        const auto client = connected_to(local(listener, Scheme::tcp));
        const bool is_v4 = local(listener, Scheme::tcp).to_string().starts_with("tcp://0.0.0.0:");
        const bool refused = system.open_socket(parsed("tcp6://:0")).errno_value() == EAFNOSUPPORT;
        std::_Exit(is_v4 && refused ? 0 : 1);
    };
    EXPECT_EXIT(serve(), testing::ExitedWithCode(0), "");
}

// ── Sockets ──────────────────────────────────────────────────────────────────────────────────

TEST_F(RealSystem, AcceptAnswersThatItWouldBlock) {
    const auto listener = listening(parsed("tcp://127.0.0.1:0"));
    EXPECT_EQ(system.accept(of(listener)).errno_value(), EAGAIN);
}

TEST_F(RealSystem, SetsEveryOption) {
    const auto socket = open(parsed("tcp6://:0"));
    struct Case {
        SocketOption option;
        os::OptionName name;
    };
    for (const auto& [option, name] : {
             Case{SocketOption::reuse_address, os::kReuseAddress},
             Case{SocketOption::reuse_port, os::kReusePort},
             Case{SocketOption::v6_only, os::kV6Only},
             Case{SocketOption::no_delay, os::kNoDelay},
             Case{SocketOption::not_sent_low, os::kNotSentLow},
             Case{SocketOption::user_timeout, os::kUserTimeout},
             Case{SocketOption::keep_alive, os::kKeepAlive},
             Case{SocketOption::keep_idle, os::kKeepIdle},
             Case{SocketOption::keep_interval, os::kKeepInterval},
             Case{SocketOption::keep_count, os::kKeepCount},
         }) {
        EXPECT_TRUE(system.set(of(socket), option, 1));
        EXPECT_EQ(*os::option(socket.number(), name), 1);
    }
    // The kernel doubles these, for its own overhead: socket(7).
    EXPECT_TRUE(system.set(of(socket), SocketOption::receive_buffer, 65536));
    EXPECT_EQ(*os::option(socket.number(), os::kReceiveBuffer), 2 * 65536);
    EXPECT_TRUE(system.set(of(socket), SocketOption::send_buffer, 65536));
    EXPECT_EQ(*os::option(socket.number(), os::kSendBuffer), 2 * 65536);
}

TEST_F(RealSystem, ResetsInsteadOfAFinWithLingerReset) {
    const auto listener = listening(parsed("tcp://127.0.0.1:0"));
    const auto client = connected_to(local(listener, Scheme::tcp));
    auto connection = accepted(listener);
    ASSERT_TRUE(system.set(of(connection), SocketOption::linger_reset, 0));
    system.close(Descriptor{connection.release()});
    ASSERT_TRUE(becomes_readable(client.number()));
    std::byte byte{};
    EXPECT_EQ(os::recv_bytes(client.number(), &byte, 1), -ECONNRESET);
}

TEST_F(RealSystem, ShutdownOfAListenerEndsItForEveryCopy) {
    const auto listener = listening(parsed("tcp://127.0.0.1:0"));
    const OwnedDescriptor copy{::dup(listener.number())};
    system.shutdown(of(listener));
    EXPECT_EQ(system.accept(of(copy)).errno_value(), EINVAL);
}

TEST_F(RealSystem, CountsUnreadBytesOfAUnixPeer) {
    const auto listener = listening(at_path);
    const auto client = connected_to(at_path);
    const auto connection = accepted(listener);
    EXPECT_EQ(*system.unacknowledged(of(connection)), 0U);
    ASSERT_EQ(os::send_bytes(connection.number(), "hello", 5), 5);
    EXPECT_GT(*system.unacknowledged(of(connection)), 0U);
    EXPECT_NE(system.never_sent(of(connection)).errno_value(), 0);
}

TEST_F(RealSystem, CountsBytesThatATcpPeerHasNoRoomFor) {
    const auto listener = listening(parsed("tcp://127.0.0.1:0"));
    const auto client = connected_to(local(listener, Scheme::tcp));
    const auto connection = accepted(listener);
    const std::string block(1 << 20, 'x');
    while (os::send_bytes(connection.number(), block.data(), block.size()) > 0) {
    }
    const auto unacknowledged = system.unacknowledged(of(connection));
    const auto never_sent = system.never_sent(of(connection));
    ASSERT_TRUE(unacknowledged && never_sent);
    EXPECT_GT(*never_sent, 0U);
    EXPECT_GE(*unacknowledged, *never_sent);
}

// ── Descriptors, clock, chance ───────────────────────────────────────────────────────────────

TEST_F(RealSystem, LeavesNoDescriptorBehindAfterAFailure) {
    const auto before = system.descriptors_open();
    {
        const auto socket = open(parsed("tcp://127.0.0.1:0"));
        EXPECT_FALSE(system.bind(of(socket), at_path));
        EXPECT_FALSE(system.lock_directory_of(directory.file("none/a.sock")));
        EXPECT_FALSE(system.path_has_owner(path));
    }
    EXPECT_EQ(system.descriptors_open(), before);
}

TEST_F(RealSystem, HoldsAReserveThatCountsAsOpen) {
    const auto before = system.descriptors_open();
    const auto reserve = system.open_reserve();
    ASSERT_TRUE(reserve);
    EXPECT_EQ(system.descriptors_open(), before + 1);
    EXPECT_LE(system.descriptors_open(), system.descriptor_limit());
    system.close(*reserve);
}

TEST_F(RealSystem, HasATimeThatNeverGoesBack) {
    const Instant first = system.now();
    EXPECT_LE(first, system.now());
    EXPECT_NE(system.random(), system.random());
}

// ── Unix paths ───────────────────────────────────────────────────────────────────────────────

TEST_F(RealSystem, LocksADirectoryForOneAtATime) {
    const auto lock = system.lock_directory_of(path);
    ASSERT_TRUE(lock);
    EXPECT_EQ(system.lock_directory_of(directory.file("b.sock")).errno_value(), EWOULDBLOCK);
    system.close(*lock);
    const auto again = system.lock_directory_of(path);
    EXPECT_TRUE(again);
    system.close(*again);
}

TEST_F(RealSystem, LocksTheWorkingDirectoryOfABareName) {
    const auto lock = system.lock_directory_of("bare.sock");
    ASSERT_TRUE(lock) << lock.errno_value();
    const auto here = os::file_facts(".");
    const auto locked = os::file_facts("/proc/self/fd/" + std::to_string(number(*lock)) + "/.");
    EXPECT_EQ(locked->inode, here->inode);
    system.close(*lock);
}

TEST_F(RealSystem, TellsWhatLiesAtAPath) {
    EXPECT_EQ(system.inspect(path)->kind, PathFacts::Kind::missing);
    EXPECT_EQ(system.inspect(directory.path())->kind, PathFacts::Kind::other);
    const auto socket = bound(at_path);
    EXPECT_EQ(system.inspect(path)->kind, PathFacts::Kind::socket);
}

TEST_F(RealSystem, TellsOneSocketFileFromTheNextAtTheSamePath) {
    const auto first_socket = bound(at_path);
    const auto first = *system.inspect(path);
    const auto other = bound(Endpoint{Scheme::unix_stream, directory.file("b.sock")});
    std::filesystem::rename(directory.file("b.sock"), path);
    EXPECT_NE(*system.inspect(path), first);
    EXPECT_TRUE(system.unlink(path));
    EXPECT_EQ(system.unlink(path).errno_value(), ENOENT);
}

TEST_F(RealSystem, FindsTheOwnerOfALiveListenerWithoutEnteringItsQueue) {
    const auto listener = listening(at_path);
    EXPECT_TRUE(*system.path_has_owner(path));
    EXPECT_EQ(system.accept(of(listener)).errno_value(), EAGAIN);
}

TEST_F(RealSystem, FindsTheOwnerOfASocketThatDoesNotListenYet) {
    const auto socket = bound(at_path);
    EXPECT_TRUE(*system.path_has_owner(path));
}

TEST_F(RealSystem, FindsTheOwnerOfADatagramSocketWithoutSendingIt) {
    const auto socket = bound(Endpoint{Scheme::unix_datagram, path});
    EXPECT_TRUE(*system.path_has_owner(path));
    std::byte byte{};
    EXPECT_EQ(os::recv_bytes(socket.number(), &byte, 1), -EAGAIN);
}

TEST_F(RealSystem, FindsTheOwnerOfADatagramSocketThatIsConnectedElsewhere) {
    const Endpoint elsewhere{Scheme::unix_datagram, directory.file("b.sock")};
    const auto other = bound(elsewhere);
    const auto socket = bound(Endpoint{Scheme::unix_datagram, path});
    ASSERT_TRUE(os::connect(socket.number(), *os::SocketAddress::of(elsewhere)));
    EXPECT_TRUE(*system.path_has_owner(path));
}

TEST_F(RealSystem, FindsTheOwnerOfAPacketSocket) {
    const auto socket = bound(Endpoint{Scheme::unix_packet, path});
    EXPECT_TRUE(*system.path_has_owner(path));
}

TEST_F(RealSystem, FindsNoOwnerBehindAStalePath) {
    {
        const auto listener = listening(at_path);
    }
    EXPECT_EQ(system.inspect(path)->kind, PathFacts::Kind::socket);
    EXPECT_FALSE(*system.path_has_owner(path));
}

TEST_F(RealSystem, CannotTellTheOwnerOfNothing) {
    EXPECT_EQ(system.path_has_owner(path).errno_value(), ENOENT);
}

}  // namespace
}  // namespace berth::driver
