// SPDX-License-Identifier: MIT
//
// Kernel facts: copies of descriptors: in children, in other processes, in an epoll set.

#include "kernel/scene.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX, not C++
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace berth::kernel {
namespace {

// ── Children ─────────────────────────────────────────────────────────────────────────────────

// Whether /bin/sh, started from here, has this descriptor.
bool is_seen_by_a_program(const OwnedDescriptor& descriptor) {
    const std::string look = "test -e /proc/self/fd/" + std::to_string(descriptor.number());
    std::array<char*, 4> words{const_cast<char*>("sh"), const_cast<char*>("-c"),
                               const_cast<char*>(look.c_str()), nullptr};
    pid_t child = 0;
    EXPECT_EQ(::posix_spawn(&child, "/bin/sh", nullptr, nullptr, words.data(), environ), 0);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// So every descriptor of berth is close-on-exec from the call that makes it.
TEST(DescriptorFact, OnlyCloseOnExecKeepsADescriptorFromPrograms) {
    const auto kept = listener();
    const OwnedDescriptor leaked{::dup(kept.number())};  // dup(2) forgets the flag
    EXPECT_FALSE(is_seen_by_a_program(kept));
    EXPECT_TRUE(is_seen_by_a_program(leaked));
}

// To diagnosis: InheritedByChild. fork(2) alone keeps them all.
TEST(DescriptorFact, AChildWithoutExecKeepsTheListenerOpen) {
    auto at = listener();
    const auto port = port_of(at);
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    at.close();
    EXPECT_EQ(rows(port, SocketState::listening).size(), 1U);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(rows(port, SocketState::listening).empty());
}

// So a listener that is shared with another process is not reconfigured.
TEST(DescriptorFact, NonBlockingBelongsToTheOpenFileAndCloseOnExecToTheNumber) {
    const auto first = open_socket();
    const OwnedDescriptor second{::dup(first.number())};
    ::fcntl(second.number(), F_SETFL, O_NONBLOCK);
    EXPECT_TRUE(::fcntl(first.number(), F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(::fcntl(first.number(), F_GETFD) & FD_CLOEXEC);
    EXPECT_FALSE(::fcntl(second.number(), F_GETFD) & FD_CLOEXEC);
}

// ── epoll ────────────────────────────────────────────────────────────────────────────────────

// So a descriptor is taken out of the set before it is closed.
TEST(DescriptorFact, ACopyKeepsAClosedDescriptorInTheEpollSet) {
    auto at = listener();
    const OwnedDescriptor copy{::dup(at.number())};
    const OwnedDescriptor epoll{::epoll_create1(EPOLL_CLOEXEC)};
    epoll_event wanted{.events = EPOLLIN, .data = {.u64 = 4711}};
    ASSERT_EQ(::epoll_ctl(epoll.number(), EPOLL_CTL_ADD, at.number(), &wanted), 0);
    const int closed = at.number();
    at.close();
    const auto client = client_of(port_of(copy));
    epoll_event event{};
    EXPECT_EQ(::epoll_wait(epoll.number(), &event, 1, 0), 1);
    EXPECT_EQ(event.data.u64, 4711U);
    EXPECT_EQ(::epoll_ctl(epoll.number(), EPOLL_CTL_DEL, closed, nullptr), -1);
}

// So a child of fork(2) may close its numbers and nothing else.
TEST(DescriptorFact, AChildEditsTheEpollSetOfItsParent) {
    const auto at = listener();
    const OwnedDescriptor epoll{::epoll_create1(EPOLL_CLOEXEC)};
    epoll_event wanted{.events = EPOLLIN, .data = {}};
    ASSERT_EQ(::epoll_ctl(epoll.number(), EPOLL_CTL_ADD, at.number(), &wanted), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(::epoll_ctl(epoll.number(), EPOLL_CTL_DEL, at.number(), nullptr));
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(::epoll_ctl(epoll.number(), EPOLL_CTL_DEL, at.number(), nullptr), -1);
    EXPECT_EQ(errno, ENOENT);
}

// ── Travelling ───────────────────────────────────────────────────────────────────────────────

struct Channel {
    OwnedDescriptor near;
    OwnedDescriptor far;
};

Channel channel() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {.near = OwnedDescriptor{ends[0]}, .far = OwnedDescriptor{ends[1]}};
}

constexpr std::size_t kMost = 253;  // SCM_MAX_FD

struct Room {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE((kMost + 1) * sizeof(int))> bytes{};
};

// Sends a byte and `count` copies of a descriptor: an errno.
int send_copies(const Channel& channel, const OwnedDescriptor& copied, std::size_t count) {
    char byte = 'x';
    iovec part{&byte, 1};
    Room room;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    const std::vector<int> copies(count, copied.number());
    std::memcpy(CMSG_DATA(header), copies.data(), count * sizeof(int));
    return ::sendmsg(channel.near.number(), &message, MSG_DONTWAIT) < 0 ? errno : 0;
}

struct Arrived {
    std::vector<OwnedDescriptor> descriptors;
    int flags = 0;
};

Arrived receive(const Channel& channel, std::size_t room_for) {
    char byte = 0;
    iovec part{&byte, 1};
    Room room;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes.data();
    message.msg_controllen = CMSG_LEN(room_for * sizeof(int));
    Arrived arrived;
    EXPECT_EQ(::recvmsg(channel.far.number(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), 1);
    arrived.flags = message.msg_flags;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr) return arrived;
    std::vector<int> numbers((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(header), numbers.size() * sizeof(int));
    for (const int number : numbers) arrived.descriptors.emplace_back(number);
    return arrived;
}

// So the listeners of many shards travel in several messages.
TEST(DescriptorFact, AMessageCarries253Descriptors) {
    const Channel pair = channel();
    EXPECT_EQ(send_copies(pair, pair.near, kMost + 1), EINVAL);
    ASSERT_EQ(send_copies(pair, pair.near, kMost), 0);
    EXPECT_EQ(receive(pair, kMost).descriptors.size(), kMost);
}

// So MSG_CTRUNC ends a handing over: the kernel has closed what did not fit.
TEST(DescriptorFact, DescriptorsWithoutRoomAreLostAndAFlagSaysSo) {
    const Channel pair = channel();
    ASSERT_EQ(send_copies(pair, pair.near, 3), 0);
    const Arrived arrived = receive(pair, 1);
    EXPECT_EQ(arrived.descriptors.size(), 1U);
    EXPECT_TRUE(arrived.flags & MSG_CTRUNC);
}

TEST(DescriptorFact, DescriptorsBeyondTheLimitAreLostAndTheFlagSaysSoToo) {
    const Channel pair = channel();
    ASSERT_EQ(send_copies(pair, pair.near, 3), 0);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const OwnedDescriptor lowest{::dup(pair.near.number())};
    const rlimit tight{.rlim_cur = static_cast<rlim_t>(lowest.number()) + 2,
                       .rlim_max = before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &tight);
    const Arrived arrived = receive(pair, 3);
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_LT(arrived.descriptors.size(), 3U);
    EXPECT_TRUE(arrived.flags & MSG_CTRUNC);
}

TEST(DescriptorFact, AConnectionLivesOnInWhoeverReceivedIt) {
    const Channel pair = channel();
    const auto at = listener();
    auto [server, client] = connection_to(at);
    ASSERT_EQ(send_text(client, "unread"), 6U);
    ASSERT_EQ(send_copies(pair, server, 1), 0);
    server.close();
    const Arrived arrived = receive(pair, 1);
    ASSERT_EQ(arrived.descriptors.size(), 1U);
    client.close();
    EXPECT_EQ(read_to_end(arrived.descriptors[0]).text, "unread");
}

}  // namespace
}  // namespace berth::kernel
