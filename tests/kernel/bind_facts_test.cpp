// SPDX-License-Identifier: MIT
//
// Kernel facts: who keeps whom from binding and listening. inet_bind_conflict() in the kernel.

#include "kernel/scene.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>

namespace berth::kernel {
namespace {

// ── The matrix ───────────────────────────────────────────────────────────────────────────────

enum class Old : std::uint8_t {
    listening,
    time_wait,
    fin_wait2,    // an orphan
    established,  // its listener is closed
    close_wait,
    bound,
    shut_down,      // a listener after shutdown(2)
    reset,          // closed by SO_LINGER 0
    peer_was_first  // to close
};

// What is left of a server on a port, held for as long as it lives.
struct Remains {
    OwnedDescriptor listener;
    Connected connection;
    std::uint16_t port = 0;
};

void leave(Old old, Remains& remains) {
    auto& [server, client] = remains.connection;
    switch (old) {
        case Old::time_wait:
            server.close();
            client.close();
            EXPECT_TRUE(has_rows(remains.port, SocketState::time_wait));
            break;
        case Old::fin_wait2:
            server.close();
            EXPECT_TRUE(has_rows(remains.port, SocketState::fin_wait2));
            break;
        case Old::close_wait: client.close(); break;
        case Old::reset:
            reset_on_close(server);
            server.close();
            break;
        case Old::peer_was_first:
            client.close();
            EXPECT_EQ(read_to_end(server).end, End::fin);
            server.close();
            EXPECT_TRUE(has_rows(remains.port, SocketState::last_ack, 0));
            break;
        default: break;
    }
}

// Asked for by number, a port belongs to the socket until it is closed; see the fact about it.
std::uint16_t free_port() {
    const auto socket = open_socket();
    EXPECT_EQ(bind_to(socket, v4(0)), 0);
    return port_of(socket);
}

Remains remains_of(Old old, int flag) {
    Remains remains;
    if (old == Old::bound) {
        remains.listener = open_socket();
        if (flag != 0) set_option(remains.listener, SOL_SOCKET, flag, 1);
        EXPECT_EQ(bind_to(remains.listener, v4(0)), 0);
        remains.port = port_of(remains.listener);
        return remains;
    }
    remains.listener = listener(flag, free_port());
    remains.port = port_of(remains.listener);
    if (old == Old::listening) return remains;
    if (old == Old::shut_down) {
        ::shutdown(remains.listener.number(), SHUT_RDWR);
        return remains;
    }
    remains.connection = connection_to(remains.listener);
    remains.listener.close();
    leave(old, remains);
    return remains;
}

bool is_allowed(Old old, int old_flag, int new_flag) {
    if (old == Old::reset || old == Old::peer_was_first) return true;
    if (old_flag == 0 || old_flag != new_flag) return false;
    return old != Old::listening || old_flag == SO_REUSEPORT;
}

// 0: it listens; else the errno of the call that failed.
int try_to_listen(std::uint16_t port, int flag) {
    const auto socket = open_socket();
    if (flag != 0) set_option(socket, SOL_SOCKET, flag, 1);
    const int bound = bind_to(socket, v4(port));
    return bound != 0 ? bound : listen_on(socket);
}

class BindMatrix : public testing::TestWithParam<Old> {};

// berth sets SO_REUSEADDR on every listener, and what it accepts inherits it: then only somebody
// who listens is in the way.
TEST_P(BindMatrix, AsksForTheSameFlagOnBothSides) {
    constexpr std::array kFlags{0, SO_REUSEADDR, SO_REUSEPORT};
    for (const int old_flag : kFlags) {
        for (const int new_flag : kFlags) {
            const Remains remains = remains_of(GetParam(), old_flag);
            const int expected = is_allowed(GetParam(), old_flag, new_flag) ? 0 : EADDRINUSE;
            EXPECT_EQ(try_to_listen(remains.port, new_flag), expected)
                << "old flag " << old_flag << ", new flag " << new_flag;
        }
    }
}

std::string name_of(const testing::TestParamInfo<Old>& old) {
    switch (old.param) {
        case Old::listening: return "Listening";
        case Old::time_wait: return "TimeWait";
        case Old::fin_wait2: return "FinWait2";
        case Old::established: return "Established";
        case Old::close_wait: return "CloseWait";
        case Old::bound: return "Bound";
        case Old::shut_down: return "ShutDown";
        case Old::reset: return "Reset";
        case Old::peer_was_first: return "PeerWasFirst";
    }
    return {};
}

INSTANTIATE_TEST_SUITE_P(Over, BindMatrix,
                         testing::Values(Old::listening, Old::time_wait, Old::fin_wait2,
                                         Old::established, Old::close_wait, Old::bound,
                                         Old::shut_down, Old::reset, Old::peer_was_first),
                         name_of);

// ── Users ────────────────────────────────────────────────────────────────────────────────────

// The same, asked by another user; -1: it could not become one.
int try_as_nobody(const std::function<int()>& ask) {
    const pid_t child = ::fork();
    if (child == 0) {
        constexpr uid_t kNobody = 65534;
        ::_exit(::setuid(kNobody) == 0 ? ask() : 255);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) != 255 ? WEXITSTATUS(status) : -1;
}

// A shard of ours cannot be joined by a stranger. To diagnosis: UidMismatch.
TEST(BindFact, ReusePortIsForOneUser) {
    if (!is_root()) GTEST_SKIP() << "only root can become another user";
    const auto old = listener(SO_REUSEPORT);
    const auto join = [&] { return try_to_listen(port_of(old), SO_REUSEPORT); };
    const int answer = try_as_nobody(join);
    if (answer < 0) GTEST_SKIP() << "this namespace has no other user";
    EXPECT_EQ(answer, EADDRINUSE);
    EXPECT_EQ(join(), 0);
}

TEST(BindFact, AnotherUserMayReuseWhatIsInTimeWait) {
    if (!is_root()) GTEST_SKIP() << "only root can become another user";
    const Remains remains = remains_of(Old::time_wait, SO_REUSEPORT);
    const int answer = try_as_nobody([&] { return try_to_listen(remains.port, SO_REUSEPORT); });
    if (answer < 0) GTEST_SKIP() << "this namespace has no other user";
    EXPECT_EQ(answer, 0);
}

// ── Flags ────────────────────────────────────────────────────────────────────────────────────

// So a listener that has the flag leaves nothing behind that blocks the next.
TEST(BindFact, AcceptedSocketsInheritReuseAddress) {
    const auto with = listener(SO_REUSEADDR);
    EXPECT_EQ(option(connection_to(with).server, SOL_SOCKET, SO_REUSEADDR), 1);
    const auto without = listener();
    EXPECT_EQ(option(connection_to(without).server, SOL_SOCKET, SO_REUSEADDR), 0);
}

TEST(BindFact, ReuseAddressMayBeSetJustBeforeTheClose) {
    auto old = listener();
    const std::uint16_t port = port_of(old);
    auto [server, client] = connection_to(old);
    old.close();
    set_option(server, SOL_SOCKET, SO_REUSEADDR, 1);
    server.close();
    EXPECT_EQ(try_to_listen(port, SO_REUSEADDR), 0);
}

// So listen(2) fails as bind(2) does, and is reported as it.
TEST(BindFact, TwoMayBindButOneListens) {
    const auto first = open_socket();
    const auto second = open_socket();
    set_option(first, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(second, SOL_SOCKET, SO_REUSEADDR, 1);
    ASSERT_EQ(bind_to(first, v4(0)), 0);
    ASSERT_EQ(bind_to(second, v4(port_of(first))), 0);
    EXPECT_EQ(listen_on(first), 0);
    EXPECT_EQ(listen_on(second), EADDRINUSE);
}

// The exclusive start, then shards: a second instance that starts the same way is refused.
TEST(BindFact, ReusePortSetAfterTheBindLetsShardsInButNoSecondInstance) {
    const auto first = open_socket();
    ASSERT_EQ(bind_to(first, v4(0)), 0);
    set_option(first, SOL_SOCKET, SO_REUSEPORT, 1);
    ASSERT_EQ(listen_on(first), 0);
    EXPECT_EQ(try_to_listen(port_of(first), SO_REUSEPORT), 0);
    EXPECT_EQ(try_to_listen(port_of(first), 0), EADDRINUSE);
    EXPECT_EQ(try_to_listen(port_of(first), SO_REUSEADDR), EADDRINUSE);
}

// To diagnosis: EphemeralCollision. No flag of the new socket helps.
TEST(BindFact, AnOutgoingConnectionHoldsItsSourcePort) {
    const auto somewhere = listener();
    const auto outgoing = client_of(port_of(somewhere));
    for (const int flag : {0, SO_REUSEADDR, SO_REUSEPORT}) {
        EXPECT_EQ(try_to_listen(port_of(outgoing), flag), EADDRINUSE) << flag;
    }
}

// ── Shutdown ─────────────────────────────────────────────────────────────────────────────────

// So a listener is closed after its shutdown, and never kept: on a port that the kernel chose,
// somebody else may be there the next moment.
TEST(BindFact, ShutdownGivesAPortBackThatTheKernelChoseAndKeepsOneAskedForByNumber) {
    const auto chosen = listener();
    const auto asked = listener(0, free_port());
    const std::uint16_t chosen_port = port_of(chosen);
    ::shutdown(chosen.number(), SHUT_RDWR);
    ::shutdown(asked.number(), SHUT_RDWR);
    EXPECT_EQ(try_to_listen(chosen_port, 0), 0);
    EXPECT_EQ(try_to_listen(port_of(asked), 0), EADDRINUSE);
}

// ── Addresses that overlap ───────────────────────────────────────────────────────────────────

TEST(BindFact, AWildcardListenerBlocksEveryAddressOfItsPort) {
    const auto old = open_socket();
    set_option(old, SOL_SOCKET, SO_REUSEADDR, 1);
    ASSERT_EQ(bind_to(old, v4(0, INADDR_ANY)), 0);
    ASSERT_EQ(listen_on(old), 0);
    EXPECT_EQ(try_to_listen(port_of(old), SO_REUSEADDR), EADDRINUSE);
}

// berth serves tcp://:PORT by one such socket, and tcp6:// by one that leaves IPv4 free.
TEST(BindFact, ADualStackWildcardMeetsIpv4AndAV6OnlyOneDoesNot) {
    const auto old = listener();
    for (const bool is_v6_only : {true, false}) {
        const auto socket = open_socket(AF_INET6);
        set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, is_v6_only);
        EXPECT_EQ(bind_to(socket, v6(port_of(old), in6addr_any)), is_v6_only ? 0 : EADDRINUSE);
    }
}

TEST(BindFact, TwoLoopbackAddressesShareAPort) {
    const auto old = listener();
    const auto other = open_socket();
    EXPECT_EQ(bind_to(other, v4(port_of(old), INADDR_LOOPBACK + 1)), 0);
    EXPECT_EQ(listen_on(other), 0);
}

// ── UDP ──────────────────────────────────────────────────────────────────────────────────────

// So berth never sets SO_REUSEADDR on UDP.
TEST(BindFact, ReuseAddressLetsASecondUdpSocketStealAllTraffic) {
    const auto first = open_socket(AF_INET, SOCK_DGRAM);
    const auto second = open_socket(AF_INET, SOCK_DGRAM);
    set_option(first, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(second, SOL_SOCKET, SO_REUSEADDR, 1);
    ASSERT_EQ(bind_to(first, v4(0)), 0);
    ASSERT_EQ(bind_to(second, v4(port_of(first))), 0);
    const auto sender = open_socket(AF_INET, SOCK_DGRAM);
    const sockaddr_in to = v4(port_of(first));
    for (int count = 0; count < 5; ++count) {
        ::sendto(sender.number(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    char byte = 0;
    EXPECT_EQ(::recv(first.number(), &byte, 1, MSG_DONTWAIT), -1);
    for (int count = 0; count < 5; ++count) {
        EXPECT_EQ(::recv(second.number(), &byte, 1, MSG_DONTWAIT), 1);
    }
}

// ── Probing ──────────────────────────────────────────────────────────────────────────────────

// So a port is never probed with connect(2): the probe itself may take it.
TEST(BindFact, AConnectToAFreePortOfTheEphemeralRangeMayConnectToItself) {
    const auto probe = open_socket();
    ASSERT_EQ(bind_to(probe, v4(0)), 0);
    const sockaddr_in to = v4(port_of(probe));
    ASSERT_EQ(::connect(probe.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    EXPECT_TRUE(is_connected(probe));
    EXPECT_EQ(try_to_listen(port_of(probe), SO_REUSEADDR), EADDRINUSE);
}

}  // namespace
}  // namespace berth::kernel
