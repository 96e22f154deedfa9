// SPDX-License-Identifier: MIT
//
// calls: each does what its man page says, and answers errors as values.
//
// Method: the real kernel, a pair of connected Unix sockets.

#include "os/calls.hpp"

#include "os/directory.hpp"
#include "os/owned_descriptor.hpp"
#include "support/temp_dir.hpp"

#include <berth/bytes.hpp>
#include <berth/clock.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace berth::os {
namespace {

using namespace std::chrono_literals;

struct Pair {
    OwnedDescriptor near{-1};
    OwnedDescriptor far{-1};
};

Pair connected_pair() {
    std::array<int, 2> numbers{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, numbers.data()) == -1) return {};
    return {.near = OwnedDescriptor{numbers[0]}, .far = OwnedDescriptor{numbers[1]}};
}

std::string received(int socket) {
    std::array<char, 256> into{};
    const long count = recv_bytes(socket, into.data(), into.size());
    return count < 0 ? std::strerror(static_cast<int>(-count))
                     : std::string{into.data(), static_cast<std::size_t>(count)};
}

TEST(Calls, SendAndReceiveBytes) {
    const Pair pair = connected_pair();
    EXPECT_EQ(send_bytes(pair.near.number(), "hello", 5), 5);
    EXPECT_EQ(received(pair.far.number()), "hello");
}

TEST(Calls, NeverWaitToReceiveEvenOnABlockingSocket) {
    const Pair pair = connected_pair();
    std::byte into{};
    EXPECT_EQ(recv_bytes(pair.near.number(), &into, 1), -EAGAIN);
}

TEST(Calls, AnswerAClosedPeerWithAnErrorAndNoSignal) {
    Pair pair = connected_pair();
    close(pair.far.release());
    EXPECT_EQ(send_bytes(pair.near.number(), "x", 1), -EPIPE);
}

TEST(Calls, SendSlicesInOrder) {
    const Pair pair = connected_pair();
    const std::array slices{as_bytes("one "), as_bytes(""), as_bytes("two "), as_bytes("three")};
    EXPECT_EQ(send_slices(pair.near.number(), slices), 13);
    EXPECT_EQ(received(pair.far.number()), "one two three");
}

TEST(Calls, SendTheFirstSlicesWhenThereAreTooMany) {
    const Pair pair = connected_pair();
    const std::vector<Bytes> slices(kSlicesMax + 10, as_bytes("x"));
    EXPECT_EQ(send_slices(pair.near.number(), slices), static_cast<long>(kSlicesMax));
}

TEST(Calls, LeaveErrnoAloneWhenTheyRunPerMessage) {
    errno = ENOENT;
    std::byte into{};
    EXPECT_EQ(recv_bytes(-1, &into, 1), -EBADF);
    EXPECT_EQ(errno, ENOENT);
}

TEST(Calls, RoundTimeoutsUpToWholeMilliseconds) {
    EXPECT_EQ(timeout_milliseconds(kNever), -1);
    EXPECT_EQ(timeout_milliseconds(-5ms), 0);
    EXPECT_EQ(timeout_milliseconds(0ns), 0);
    EXPECT_EQ(timeout_milliseconds(1ns), 1);
    EXPECT_EQ(timeout_milliseconds(1'000'001ns), 2);
    EXPECT_EQ(timeout_milliseconds(24h * 365), std::numeric_limits<int>::max());
}

TEST(Calls, WaitForEventsOfWhatIsReady) {
    const OwnedDescriptor epoll{*open_epoll()};
    const OwnedDescriptor event{*open_eventfd()};
    epoll_event wanted{.events = EPOLLIN, .data = {.u64 = 7}};
    ASSERT_TRUE(control_epoll(epoll.number(), EPOLL_CTL_ADD, event.number(), wanted));

    std::array<epoll_event, 4> events{};
    EXPECT_EQ(wait_events(epoll.number(), events, Duration{0}), 0);
    raise_eventfd(event.number());
    ASSERT_EQ(wait_events(epoll.number(), events, kNever), 1);
    EXPECT_EQ(events[0].data.u64, 7U);
}

TEST(Calls, OpenDescriptorsThatAreNonBlockingAndCloseOnExec) {
    for (const int number : {*open_socket(AF_INET, SOCK_STREAM), *open_eventfd()}) {
        const OwnedDescriptor descriptor{number};
        EXPECT_TRUE(::fcntl(number, F_GETFL) & O_NONBLOCK);
        EXPECT_TRUE(::fcntl(number, F_GETFD) & FD_CLOEXEC);
    }
}

TEST(Calls, CountOpenDescriptorsWithoutTheirOwn) {
    const auto before = *count_open_descriptors();
    const OwnedDescriptor event{*open_eventfd()};
    EXPECT_EQ(*count_open_descriptors(), before + 1);
}

TEST(Calls, KnowThatADirectoryIsNoSocket) {
    const test::TempDir directory;
    const auto facts = file_facts(directory.path());
    ASSERT_TRUE(facts);
    EXPECT_FALSE(facts->is_socket);
    EXPECT_EQ(file_facts(directory.file("none")).errno_value(), ENOENT);
}

TEST(Calls, ReadAFileToItsEnd) {
    const test::TempDir directory;
    const std::string text(10'000, 'x');
    std::ofstream{directory.file("long")} << text;
    EXPECT_EQ(*read_file(directory.file("long")), text);
    EXPECT_EQ(read_file(directory.file("none")).errno_value(), ENOENT);
}

TEST(Calls, FindInterfacesByNameAndNumber) {
    const auto index = interface_index("lo");
    ASSERT_TRUE(index);
    EXPECT_EQ(*interface_name(*index), "lo");
    EXPECT_EQ(interface_index("none-such").errno_value(), ENODEV);
    EXPECT_EQ(interface_index("longer-than-any-name").errno_value(), ENODEV);
    EXPECT_EQ(interface_name(0).errno_value(), ENODEV);
}

TEST(Calls, DrawDifferentRandomNumbers) { EXPECT_NE(*random_number(), *random_number()); }

TEST(Calls, FindACpuInTheAffinityMask) { EXPECT_GE(affinity_cpus()->size(), 1U); }

TEST(OwnedDescriptor, IsClosedOnceAlsoWhenMoved) {
    const auto before = *count_open_descriptors();
    {
        OwnedDescriptor first{*open_eventfd()};
        OwnedDescriptor second{std::move(first)};
        first = std::move(second);
    }
    EXPECT_EQ(*count_open_descriptors(), before);
}

}  // namespace
}  // namespace berth::os
