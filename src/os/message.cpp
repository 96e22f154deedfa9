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
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kAttachedMax * sizeof(int))> bytes{};
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
    if (attached.size() > kAttachedMax) return base::failed(EINVAL);
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ControlRoom room;
    if (!attached.empty()) attach(message, room, attached);
    return outcome<void>(
        raw_call(Call::send_slices, socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
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
