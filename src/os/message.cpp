// SPDX-License-Identifier: MIT
//
// message: bytes in an iovec, descriptors in a control message.

#include "os/message.hpp"

#include "base/outcome.hpp"
#include "os/call_outcome.hpp"
#include "os/calls.hpp"

#include <berth/bytes.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace berth::os {

namespace {

// For as many descriptors as a message may carry.
struct ControlRoom {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kAttachedMax * sizeof(int))> bytes;
};

void attach(msghdr& message, ControlRoom& room, std::span<const int> descriptors) {
    message.msg_control = room.bytes.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
}

void detach_from(const cmsghdr& header, std::vector<int>& descriptors) {
    if (header.cmsg_level != SOL_SOCKET || header.cmsg_type != SCM_RIGHTS) return;
    const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const std::size_t before = descriptors.size();
    descriptors.resize(before + count);
    std::memcpy(&descriptors[before], CMSG_DATA(&header), count * sizeof(int));
}

std::vector<int> detached(msghdr& message) {
    std::vector<int> descriptors;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        detach_from(*header, descriptors);
    }
    return descriptors;
}

}  // namespace

base::Outcome<std::pair<int, int>> message_pair() {
    std::array<int, 2> ends{};
    const auto made = outcome<void>(raw_call(
        Call::pair, AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()));
    if (!made) return base::failed(made.errno_value());
    return std::pair{ends[0], ends[1]};
}

base::Outcome<void> send_message(int socket, Bytes bytes, std::span<const int> attached) {
    const auto sent = send_part(socket, bytes, attached);
    return sent ? base::Outcome<void>{} : base::failed(sent.errno_value());
}

base::Outcome<std::size_t> send_part(int socket, Bytes bytes, std::span<const int> attached) {
    if (attached.size() > kAttachedMax) return base::failed(EINVAL);
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ControlRoom room;
    if (!attached.empty()) attach(message, room, attached);
    return outcome<std::size_t>(
        raw_call(Call::send_slices, socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

// Room for exactly so many: with the padding that CMSG_SPACE adds one more might come.
base::Outcome<ReceivedPart> receive_part(int socket, MutableBytes into, std::size_t attached_max,
                                         std::vector<int>& attached) {
    iovec part{into.data(), into.size()};
    ControlRoom room;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (attached_max > 0) {
        message.msg_control = room.bytes.data();
        message.msg_controllen = CMSG_LEN(std::min(attached_max, kAttachedMax) * sizeof(int));
    }
    const auto size = outcome<std::size_t>(
        raw_call(Call::receive_message, socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    if (!size) return base::failed(size.errno_value());
    if (message.msg_controllen > 0 && attached_max > 0) {
        const std::vector<int> came = detached(message);
        attached.insert(attached.end(), came.begin(), came.end());
    }
    return ReceivedPart{.size = *size,
                        .is_cut = (message.msg_flags & MSG_TRUNC) != 0,
                        .lost_attached = (message.msg_flags & MSG_CTRUNC) != 0};
}

base::Outcome<std::size_t> packet_max(int socket) {
    constexpr std::size_t kKept = 32;  // unix_dgram_sendmsg
    const auto buffer = option(socket, kSendBuffer);
    if (!buffer) return base::failed(buffer.errno_value());
    return static_cast<std::size_t>(*buffer) - kKept;
}

base::Outcome<ReceivedMessage> receive_message(int socket, MutableBytes into) {
    iovec part{into.data(), into.size()};
    ControlRoom room;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes.data();
    message.msg_controllen = room.bytes.size();
    const auto size = outcome<std::size_t>(
        raw_call(Call::receive_message, socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    if (!size) return base::failed(size.errno_value());

    ReceivedMessage received{.size = *size, .attached = detached(message)};
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) return received;
    for (const int descriptor : received.attached) close(descriptor);
    return base::failed(EMSGSIZE);
}

}  // namespace berth::os
