// SPDX-License-Identifier: MIT
//
// RawPort: socket, setsockopt, bind, listen, connect.

#include "support/raw_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace berth::test {

namespace {

int checked(int result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

sockaddr_in ip_address(const std::string& address, std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    checked(inet_pton(AF_INET, address.c_str(), &made.sin_addr), "inet_pton");
    return made;
}

const sockaddr* generic(const void* address) { return static_cast<const sockaddr*>(address); }

void set(const OwnedDescriptor& socket, int option) {
    const int on = 1;
    checked(setsockopt(socket.number(), SOL_SOCKET, option, &on, sizeof on), "setsockopt");
}

OwnedDescriptor open_socket(int family, int type) {
    return OwnedDescriptor(checked(socket(family, type | SOCK_CLOEXEC, 0), "socket"));
}

}  // namespace

OwnedDescriptor bound(std::uint16_t port, RawFlags flags, const std::string& address) {
    OwnedDescriptor socket = open_socket(AF_INET, flags.is_udp ? SOCK_DGRAM : SOCK_STREAM);
    if (flags.reuse_address) set(socket, SO_REUSEADDR);
    if (flags.reuse_port) set(socket, SO_REUSEPORT);
    const sockaddr_in at = ip_address(address, port);
    checked(bind(socket.number(), generic(&at), sizeof at), "bind");
    return socket;
}

OwnedDescriptor listening(std::uint16_t port, RawFlags flags, const std::string& address) {
    OwnedDescriptor socket = bound(port, flags, address);
    listen_on(socket);
    return socket;
}

OwnedDescriptor bound_unix(const std::string& name) {
    OwnedDescriptor socket = open_socket(AF_UNIX, SOCK_STREAM);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, name.data(), name.size());
    if (name.front() == '@') at.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    checked(bind(socket.number(), generic(&at), size), "bind");
    return socket;
}

void listen_on(const OwnedDescriptor& socket) { checked(listen(socket.number(), 16), "listen"); }

std::uint16_t port_of(const OwnedDescriptor& socket) {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    checked(getsockname(socket.number(), reinterpret_cast<sockaddr*>(&at), &size), "getsockname");
    return ntohs(at.sin_port);
}

std::string address_of(const OwnedDescriptor& socket) {
    return "tcp://127.0.0.1:" + std::to_string(port_of(socket));
}

OwnedDescriptor connected(std::uint16_t port, OwnedDescriptor from) {
    if (from.number() < 0) from = open_socket(AF_INET, SOCK_STREAM);
    const sockaddr_in to = ip_address("127.0.0.1", port);
    checked(connect(from.number(), generic(&to), sizeof to), "connect");
    return from;
}

// SO_SNDTIMEO bounds connect(2), too.
OwnedDescriptor connected_soon(std::uint16_t port, OwnedDescriptor from) {
    const timeval moment{.tv_sec = 0, .tv_usec = 1000};
    checked(setsockopt(from.number(), SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof moment),
            "setsockopt");
    return connected(port, std::move(from));
}

OwnedDescriptor accepted(const OwnedDescriptor& listener) {
    return OwnedDescriptor(
        checked(accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
}

std::pair<OwnedDescriptor, OwnedDescriptor> in_flight(OwnedDescriptor socket) {
    std::array<int, 2> ends{};
    checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    std::pair pair{OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1])};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    char byte = 0;
    iovec bytes{.iov_base = &byte, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = socket.number();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    checked(static_cast<int>(sendmsg(pair.first.number(), &message, 0)), "sendmsg");
    return pair;
}

}  // namespace berth::test
