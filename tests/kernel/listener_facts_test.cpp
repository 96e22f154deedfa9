// SPDX-License-Identifier: MIT
//
// Kernel facts: what closing a listener does to those who come at that moment.

#include "kernel/scene.hpp"
#include "support/eventually.hpp"

#include <gtest/gtest.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace berth::kernel {
namespace {

// How many of `clients` are reset.
std::size_t count_resets(std::span<const OwnedDescriptor> clients) {
    std::size_t resets = 0;
    for (const OwnedDescriptor& client : clients) {
        resets += read_to_end(client).end == End::reset ? 1U : 0U;
    }
    return resets;
}

std::vector<OwnedDescriptor> clients_of(std::uint16_t port, std::size_t count) {
    std::vector<OwnedDescriptor> clients;
    while (clients.size() < count) clients.push_back(client_of(port));
    return clients;
}

// ── Closing ──────────────────────────────────────────────────────────────────────────────────

// So berth empties the queue before it closes.
TEST(ListenerFact, CloseResetsEveryoneInTheAcceptQueue) {
    auto at = listener();
    const auto clients = clients_of(port_of(at), 5);
    at.close();
    EXPECT_EQ(count_resets(clients), 5U);
}

TEST(ListenerFact, ShutdownEndsTheListenerForEveryCopy) {
    auto at = listener();
    const std::uint16_t port = port_of(at);
    const OwnedDescriptor leaked{::dup(at.number())};
    const auto clients = clients_of(port, 3);
    ::shutdown(at.number(), SHUT_RDWR);
    at.close();
    EXPECT_EQ(count_resets(clients), 3U);
    EXPECT_EQ(accept_now(leaked).second, EINVAL);
    EXPECT_TRUE(rows(port, SocketState::listening).empty());
}

TEST(ListenerFact, CloseAloneLeavesALeakedCopyListening) {
    auto at = listener();
    const std::uint16_t port = port_of(at);
    const OwnedDescriptor leaked{::dup(at.number())};
    at.close();
    EXPECT_EQ(rows(port, SocketState::listening).size(), 1U);
    EXPECT_TRUE(is_connected(client_of(port)));
}

// So descriptors of listeners in systemd's store must not be shut down: they could listen again,
// but whoever was in the queue has been reset.
TEST(ListenerFact, AListenerThatWasShutDownMayListenAgain) {
    const auto at = listener();
    ::shutdown(at.number(), SHUT_RDWR);
    ASSERT_EQ(listen_on(at), 0);
    EXPECT_TRUE(is_connected(client_of(port_of(at))));
}

// ── Groups ───────────────────────────────────────────────────────────────────────────────────

// Closes one of two shards under 40 queued clients: how many were reset.
std::size_t resets_of_a_shard() {
    auto first = listener(SO_REUSEPORT);
    const auto second = listener(SO_REUSEPORT, port_of(first));
    const auto clients = clients_of(port_of(first), 40);
    first.close();
    std::vector<OwnedDescriptor> served;
    for (;;) {
        auto [connection, error] = accept_now(second);
        if (error != 0) break;
        served.push_back(std::move(connection));
    }
    const std::size_t reset = clients.size() - served.size();
    served.clear();
    EXPECT_EQ(count_resets(clients), reset);
    return reset;
}

// So a group is filtered, emptied and closed as a whole.
TEST(ListenerFact, SiblingsDoNotInheritTheQueueOfAShard) {
    set_sysctl("tcp_migrate_req", "0");  // the default
    EXPECT_GT(resets_of_a_shard(), 0U);
}

TEST(ListenerFact, SiblingsInheritTheQueueWhereTcpMigrateReqIsOn) {
    if (!has_own_namespace()) GTEST_SKIP() << "needs a network namespace of its own";
    if (!set_sysctl("tcp_migrate_req", "1")) GTEST_SKIP() << "Linux 5.14 has tcp_migrate_req";
    EXPECT_EQ(resets_of_a_shard(), 0U);
    set_sysctl("tcp_migrate_req", "0");
}

int attach(const OwnedDescriptor& socket, int name, std::span<sock_filter> program) {
    const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                            .filter = program.data()};
    return ::setsockopt(socket.number(), SOL_SOCKET, name, &filter, sizeof filter) == 0 ? 0 : errno;
}

sock_filter answer(std::uint32_t value) {
    return {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = value};
}

TEST(ListenerFact, ClassicBpfSteersAGroupWithoutPrivilege) {
    const auto first = listener(SO_REUSEPORT);
    const auto second = listener(SO_REUSEPORT, port_of(first));
    std::array program{answer(1)};
    ASSERT_EQ(attach(first, SO_ATTACH_REUSEPORT_CBPF, program), 0);
    const auto clients = clients_of(port_of(first), 20);
    EXPECT_EQ(accept_now(first).second, EAGAIN);
    for (int count = 0; count < 20; ++count) EXPECT_EQ(accept_now(second).second, 0);
}

// ── Filters ──────────────────────────────────────────────────────────────────────────────────

std::array<sock_filter, 5> no_new_connections() {
    return {{{.code = BPF_LD | BPF_B | BPF_ABS, .jt = 0, .jf = 0, .k = 13},
             {.code = BPF_ALU | BPF_AND | BPF_K, .jt = 0, .jf = 0, .k = 0x12},
             {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = 0x02},
             answer(0),
             answer(0xffffffff)}};
}

// A client whose handshake the listener cannot complete before it sends: TCP_DEFER_ACCEPT.
OwnedDescriptor half_open(const OwnedDescriptor& at) {
    set_option(at, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30);
    OwnedDescriptor client = client_of(port_of(at));
    EXPECT_EQ(rows(port_of(at), SocketState::syn_received).size(), 1U);
    return client;
}

// So the end of a quiesce can be known exactly: an empty queue, and no such row.
TEST(ListenerFact, HandshakesInFlightAreSeenInSockDiag) {
    const auto at = listener();
    const auto client = half_open(at);
    EXPECT_EQ(accept_now(at).second, EAGAIN);
    const auto row = rows(port_of(at), SocketState::syn_received).front();
    EXPECT_EQ(row.inode, 0U);
    EXPECT_EQ(row.peer.port, port_of(client));
}

// Quiescing without a reset, where the kernel lets us: means syn_filter.
TEST(ListenerFact, AFilterDropsTheSynAndLetsAHandshakeEnd) {
    const auto at = listener();
    const auto early = half_open(at);
    auto program = no_new_connections();
    const int attached = attach(at, SO_ATTACH_FILTER, program);
    if (attached == EPERM) GTEST_SKIP() << "a filter on TCP needs CAP_NET_ADMIN here";
    ASSERT_EQ(attached, 0);
    const auto late = knock_at(port_of(at));
    EXPECT_EQ(info_of(late).tcpi_state, TCP_SYN_SENT);

    ASSERT_EQ(send_text(early, "request"), 7U);
    const auto served = accept_from(at);
    EXPECT_TRUE(becomes_readable(served));
    EXPECT_EQ(info_of(late).tcpi_state, TCP_SYN_SENT);
}

// What a process without capabilities gets, capset(2).
int attach_without_privilege(const OwnedDescriptor& socket) {
    const pid_t child = ::fork();
    if (child == 0) {
        __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
        const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
        ::syscall(SYS_capset, &header, none.data());
        std::array program{answer(0)};
        ::_exit(attach(socket, SO_ATTACH_FILTER, program));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

// So there is a second means, ttl.
TEST(ListenerFact, AFilterOnTcpNeedsPrivilege) {
    const int attached = attach_without_privilege(listener());
    if (attached == 0) GTEST_SKIP() << "this kernel lets everybody attach one";
    EXPECT_EQ(attached, EPERM);
}

// So berth takes the filter from everybody that it accepts meanwhile.
TEST(ListenerFact, AcceptedSocketsInheritTheFilter) {
    const auto at = listener();
    std::array program{answer(0xffffffff)};
    if (attach(at, SO_ATTACH_FILTER, program) == EPERM) {
        GTEST_SKIP() << "a filter on TCP needs CAP_NET_ADMIN here";
    }
    const auto [server, client] = connection_to(at);
    EXPECT_EQ(set_option(server, SOL_SOCKET, SO_DETACH_FILTER, 0), 0);
    EXPECT_EQ(set_option(client, SOL_SOCKET, SO_DETACH_FILTER, 0), ENOENT);
}

// The same without privilege: means ttl. The kernel looks at the TTL of what the listener itself
// gets, and that are SYNs.
TEST(ListenerFact, ABoundOnTheTtlDropsTheSynAndLetsAHandshakeEnd) {
    const auto at = listener();
    const auto early = half_open(at);
    ASSERT_EQ(set_option(at, IPPROTO_IP, IP_MINTTL, 255), 0);
    const auto late = knock_at(port_of(at));
    EXPECT_EQ(info_of(late).tcpi_state, TCP_SYN_SENT);

    ASSERT_EQ(send_text(early, "request"), 7U);
    const auto served = accept_from(at);
    EXPECT_EQ(option(served, IPPROTO_IP, IP_MINTTL), 255);
}

// So berth frees everybody that it accepts meanwhile; what was lost, the client sends again.
TEST(ListenerFact, ASocketThatInheritsTheBoundIsDeafUntilItIsFreed) {
    const auto at = listener();
    const auto early = client_of(port_of(at));
    const auto in_time = accept_from(at);
    const auto client = half_open(at);
    ASSERT_EQ(set_option(at, IPPROTO_IP, IP_MINTTL, 255), 0);
    ASSERT_EQ(send_text(client, "1"), 1U);
    const auto deaf = accept_from(at);
    ASSERT_EQ(send_text(client, "2"), 1U);
    EXPECT_GT(unacknowledged(client), 0U);
    ASSERT_EQ(set_option(deaf, IPPROTO_IP, IP_MINTTL, 0), 0);
    EXPECT_TRUE(test::eventually([&] { return unacknowledged(client) == 0; }));
    EXPECT_EQ(option(in_time, IPPROTO_IP, IP_MINTTL), 0);
}

// ── Queues ───────────────────────────────────────────────────────────────────────────────────

// Free of charge: the length of the queue, and the backlog.
TEST(ListenerFact, TcpInfoOfAListenerTellsItsQueue) {
    const auto at = listener();
    ASSERT_EQ(listen_on(at, 16), 0);
    const auto clients = clients_of(port_of(at), 3);
    EXPECT_EQ(info_of(at).tcpi_unacked, 3U);
    EXPECT_EQ(info_of(at).tcpi_sacked, 16U);
}

// So who listens behind a full queue meets nobody who believes to be connected.
TEST(ListenerFact, AFullQueueDropsTheSyn) {
    const auto at = listener();
    ASSERT_EQ(listen_on(at, 0), 0);
    const auto first = client_of(port_of(at));
    const auto second = knock_at(port_of(at));
    EXPECT_EQ(info_of(second).tcpi_state, TCP_SYN_SENT);
}

}  // namespace
}  // namespace berth::kernel
