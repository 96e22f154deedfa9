// SPDX-License-Identifier: MIT
//
// RawMessages: the system calls.

#include "support/raw_message.hpp"

#include "os/socket_address.hpp"
#include "support/eventually.hpp"
#include "support/refused_call.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace berth::test {
namespace {

constexpr std::size_t kRoom = std::size_t{1} << 20U;

struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(253 * sizeof(int))> room{};
};

std::vector<OwnedDescriptor> attached_to(msghdr& message) {
    std::vector<OwnedDescriptor> came;
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
         each = CMSG_NXTHDR(&message, each)) {
        const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        std::vector<int> numbers(count);
        std::memcpy(numbers.data(), CMSG_DATA(each), count * sizeof(int));
        for (const int number : numbers) came.emplace_back(number);
    }
    return came;
}

long send_message(int socket, std::string_view bytes, const std::vector<int>& attached) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    Control control;
    if (!attached.empty()) {
        message.msg_control = control.room.data();
        message.msg_controllen = CMSG_SPACE(attached.size() * sizeof(int));
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(attached.size() * sizeof(int));
        std::memcpy(CMSG_DATA(header), attached.data(), attached.size() * sizeof(int));
    }
    return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool is_ready_within(int socket, short events) {
    pollfd watched{.fd = socket, .events = events, .revents = 0};
    return ::poll(&watched, 1, static_cast<int>(patience().count())) > 0;
}

}  // namespace

RawMessages::RawMessages(Scheme scheme)
    : scheme_(scheme), socket_(::socket(AF_UNIX, os::socket_type(scheme) | SOCK_CLOEXEC, 0)) {
    if (socket_.number() < 0) refuse(errno, "socket");
}

RawMessages RawMessages::unnamed(Scheme scheme) { return RawMessages(scheme); }

std::pair<OwnedDescriptor, RawMessages> RawMessages::pair(Scheme scheme) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, os::socket_type(scheme) | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        refuse(errno, "socketpair");
    }
    return {OwnedDescriptor(ends[0]), RawMessages(scheme, ends[1])};
}

RawMessages RawMessages::bound(const Endpoint& at) {
    RawMessages made(at.scheme());
    const auto address = *os::SocketAddress::of(at);
    if (::bind(made.descriptor(), address.data(), address.length()) != 0) refuse(errno, "bind");
    return made;
}

RawMessages RawMessages::connect(const Endpoint& to) {
    RawMessages made(to.scheme());
    if (to.scheme() == Scheme::unix_datagram) {
        const auto any = os::SocketAddress::of_any_unix_name();
        if (::bind(made.descriptor(), any.data(), any.length()) != 0) refuse(errno, "bind");
    }
    const auto address = *os::SocketAddress::of(to);
    if (::connect(made.descriptor(), address.data(), address.length()) != 0) {
        refuse(errno, "connect");
    }
    return made;
}

Endpoint RawMessages::endpoint() const {
    os::SocketAddress own;
    if (::getsockname(descriptor(), own.room(), own.room_length()) != 0) {
        refuse(errno, "getsockname");
    }
    return own.endpoint(scheme_);
}

void RawMessages::send(std::string_view bytes, const std::vector<int>& attached) {
    while (send_message(descriptor(), bytes, attached) < 0) {
        if (errno != EAGAIN || !is_ready_within(descriptor(), POLLOUT)) refuse(errno, "sendmsg");
    }
}

bool RawMessages::send_now(std::string_view bytes) {
    if (send_message(descriptor(), bytes, {}) >= 0) return true;
    if (errno != EAGAIN) refuse(errno, "sendmsg");
    return false;
}

void RawMessages::send_to(const Endpoint& to, std::string_view bytes) {
    const auto address = *os::SocketAddress::of(to);
    if (::sendto(descriptor(), bytes.data(), bytes.size(), 0, address.data(), address.length()) <
        0) {
        refuse(errno, "sendto");
    }
}

std::optional<RawMessage> RawMessages::read_now() {
    std::string room(kRoom, '\0');
    iovec part{room.data(), room.size()};
    os::SocketAddress from;
    Control control;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_name = from.room();
    message.msg_namelen = *from.room_length();
    message.msg_control = control.room.data();
    message.msg_controllen = control.room.size();
    const auto count = ::recvmsg(descriptor(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EAGAIN) return {};
    if (count < 0) refuse(errno, "recvmsg");
    room.resize(static_cast<std::size_t>(count));
    return RawMessage{.bytes = std::move(room),
                      .attached = attached_to(message),
                      .from = std::string(from.unix_name_in_place(message.msg_namelen))};
}

RawMessage RawMessages::read() {
    if (!is_ready_within(descriptor(), POLLIN)) refuse(ETIMEDOUT, "recvmsg");
    return *read_now();
}

void RawMessages::end() {
    if (::shutdown(descriptor(), SHUT_WR) != 0) refuse(errno, "shutdown");
}

std::pair<OwnedDescriptor, OwnedDescriptor> raw_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) refuse(errno, "pipe2");
    return {OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1])};
}

std::string text_in(int pipe) {
    std::array<char, 4096> room{};
    const auto count = ::read(pipe, room.data(), room.size());
    if (count < 0 && errno != EAGAIN) refuse(errno, "read");
    return {room.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
}

void write_into(int pipe, std::string_view text) {
    if (::write(pipe, text.data(), text.size()) < 0) refuse(errno, "write");
}

}  // namespace berth::test
