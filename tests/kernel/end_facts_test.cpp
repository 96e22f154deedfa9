// SPDX-License-Identifier: MIT
//
// Kernel facts: how a connection ends, what its peer sees, and what stays behind.

#include "kernel/scene.hpp"
#include "support/eventually.hpp"

#include <gtest/gtest.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>

namespace berth::kernel {
namespace {

using namespace std::chrono_literals;

// Sends until the peer has no room left: how much.
std::size_t fill(const OwnedDescriptor& socket) {
    const std::string block(256U << 10U, 'x');
    std::size_t total = 0;
    while (const std::size_t sent = send_text(socket, block)) total += sent;
    return total;
}

// ── What the peer sees ───────────────────────────────────────────────────────────────────────

// So a connection is read until EAGAIN before it is closed.
TEST(EndFact, CloseWithUnreadBytesResetsAndLosesTheAnswer) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    const std::size_t written = fill(server);
    ASSERT_EQ(send_text(client, "unread"), 6U);
    ASSERT_TRUE(becomes_readable(server));
    server.close();
    const Read seen = read_to_end(client);
    EXPECT_EQ(seen.end, End::reset);
    EXPECT_LT(seen.text.size(), written);
}

TEST(EndFact, ShutdownForSendingAndReadingOnDeliversEverything) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    const std::size_t written = fill(server);
    ASSERT_EQ(send_text(client, "unread"), 6U);
    ASSERT_TRUE(becomes_readable(server));
    ::shutdown(server.number(), SHUT_WR);
    const Read seen = read_to_end(client);
    EXPECT_EQ(seen.end, End::fin);
    EXPECT_EQ(seen.text.size(), written);
}

// So a stream that is cut short ends by a reset, never by a FIN, which would look complete.
TEST(EndFact, LingerZeroResetsAndLeavesNothingBehind) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    fill(server);
    const std::uint16_t port = port_of(server);
    reset_on_close(server);
    server.close();
    EXPECT_EQ(read_to_end(client).end, End::reset);
    EXPECT_TRUE(rows(port, SocketState::time_wait).empty());
    EXPECT_TRUE(rows(port, SocketState::fin_wait1).empty());
}

// So the report can say how much the peer's kernel has acknowledged, though nobody read it.
TEST(EndFact, NothingUnacknowledgedInFinWait2ProvesDelivery) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    ASSERT_EQ(send_text(server, "answer"), 6U);
    ::shutdown(server.number(), SHUT_WR);
    EXPECT_TRUE(test::eventually([&] { return info_of(server).tcpi_state == TCP_FIN_WAIT2; }));
    EXPECT_EQ(unacknowledged(server), 0U);
}

TEST(EndFact, BytesThatThePeerHasNoRoomForStayUnacknowledged) {
    const auto at = listener();
    const auto [server, client] = connection_to(at);
    const std::size_t written = fill(server);
    EXPECT_GT(unacknowledged(server), 0U);
    EXPECT_LT(unacknowledged(server), written);
}

// So requests that came after our FIN can be counted, instead of being reset unseen.
TEST(EndFact, WhatComesAfterOurFinCanBeRead) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    ::shutdown(server.number(), SHUT_WR);
    EXPECT_EQ(read_to_end(client).end, End::fin);
    ASSERT_EQ(send_text(client, "too late"), 8U);
    client.close();
    const Read read = read_to_end(server);
    EXPECT_EQ(read.text, "too late");
    EXPECT_EQ(read.end, End::fin);
}

// ── What stays behind ────────────────────────────────────────────────────────────────────────

// To diagnosis: nobody's socket, 60 s, no sysctl. Only the side that closed first has one.
TEST(EndFact, TimeWaitHasNoOwnerAndLastsAMinute) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    const std::uint16_t client_port = port_of(client);
    server.close();
    EXPECT_EQ(read_to_end(client).end, End::fin);
    client.close();
    ASSERT_TRUE(has_rows(port_of(at), SocketState::time_wait));
    const auto row = rows(port_of(at), SocketState::time_wait).front();
    EXPECT_EQ(row.inode, 0U);
    EXPECT_GT(row.timer, 55s);
    EXPECT_LE(row.timer, 60s + 100ms);
    EXPECT_TRUE(rows(client_port, SocketState::time_wait).empty());
}

TEST(EndFact, Linger2BoundsAnOrphanInFinWait2) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    ASSERT_EQ(set_option(server, IPPROTO_TCP, TCP_LINGER2, 5), 0);
    server.close();
    ASSERT_TRUE(has_rows(port_of(at), SocketState::fin_wait2));
    const auto row = rows(port_of(at), SocketState::fin_wait2).front();
    EXPECT_EQ(row.inode, 0U);
    EXPECT_LE(row.timer, 5s + 100ms);
}

// So a peer that never reads costs memory and a port long after the close, unless it is bounded.
TEST(EndFact, AnOrphanWithUnsentBytesKeepsThePort) {
    auto at = listener();
    const std::uint16_t port = port_of(at);
    auto [server, client] = connection_to(at);
    fill(server);
    at.close();
    server.close();
    ASSERT_TRUE(has_rows(port, SocketState::fin_wait1));
    EXPECT_GT(rows(port, SocketState::fin_wait1).front().send_queue, 0U);
    EXPECT_EQ(bind_to(open_socket(), v4(port)), EADDRINUSE);
}

TEST(EndFact, UserTimeoutBoundsAnOrphan) {
    const auto at = listener();
    auto [server, client] = connection_to(at);
    fill(server);
    ASSERT_EQ(set_option(server, IPPROTO_TCP, TCP_USER_TIMEOUT, 100), 0);
    server.close();
    EXPECT_TRUE(has_rows(port_of(at), SocketState::fin_wait1, 0));
}

// ── Destruction ──────────────────────────────────────────────────────────────────────────────

// Asks the kernel to destroy what is between two ports: its errno.
int destroy(std::uint16_t local, std::uint16_t peer) {
    struct {
        nlmsghdr header;
        inet_diag_req_v2 question;
    } message{};
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DESTROY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    message.question.sdiag_family = AF_INET;
    message.question.sdiag_protocol = IPPROTO_TCP;
    message.question.idiag_states = ~0U;
    message.question.id.idiag_sport = htons(local);
    message.question.id.idiag_dport = htons(peer);
    message.question.id.idiag_src[0] = message.question.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
    message.question.id.idiag_cookie[0] = message.question.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    const OwnedDescriptor netlink{
        ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
    ::send(netlink.number(), &message, sizeof message, 0);
    struct {
        nlmsghdr header;
        nlmsgerr error;
    } answer{};
    const auto size = ::recv(netlink.number(), &answer, sizeof answer, MSG_DONTWAIT | MSG_TRUNC);
    return size < 0 ? errno : -answer.error.error;
}

// A last resort of the operator, never of berth: ss -K.
TEST(EndFact, SockDestroyFreesAPortFromTimeWait) {
    auto at = listener();
    const std::uint16_t port = port_of(at);
    auto [server, client] = connection_to(at);
    const std::uint16_t client_port = port_of(client);
    at.close();
    server.close();
    EXPECT_EQ(read_to_end(client).end, End::fin);
    client.close();
    ASSERT_TRUE(has_rows(port, SocketState::time_wait));
    const int answer = destroy(port, client_port);
    if (answer == EPERM) GTEST_SKIP() << "needs CAP_NET_ADMIN";
    if (answer == EOPNOTSUPP) GTEST_SKIP() << "CONFIG_INET_DIAG_DESTROY is off";
    EXPECT_EQ(answer, 0);
    EXPECT_TRUE(rows(port, SocketState::time_wait).empty());
    EXPECT_EQ(bind_to(open_socket(), v4(port)), 0);
}

}  // namespace
}  // namespace berth::kernel
