// SPDX-License-Identifier: MIT
//
// RawDatagramSocket: the system calls.

#include "support/raw_datagram.hpp"

#include "os/socket_address.hpp"
#include "support/eventually.hpp"
#include "support/refused_call.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <vector>

namespace berth::test {
namespace {

constexpr int kShortWhile = 30;  // milliseconds

IpEndpoint loopback(std::uint8_t family, std::uint16_t port) {
    IpEndpoint ip{.port = port, .family = family};
    if (family == 4) {
        ip.address = {127, 0, 0, 1};
    } else {
        ip.address[15] = 1;
    }
    return ip;
}

}  // namespace

Endpoint reachable(const Endpoint& listener) {
    if (!listener.is_wildcard()) return listener;
    return {listener.scheme(), loopback(listener.ip().family, listener.port())};
}

RawDatagramSocket::RawDatagramSocket(const Endpoint& beside) {
    const auto family = beside.ip().family;
    socket_ =
        OwnedDescriptor(::socket(family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket_.number() < 0) refuse(errno, "socket");
    auto address = os::SocketAddress::of(loopback(family, 0));
    if (::bind(socket_.number(), address.data(), address.length()) != 0) refuse(errno, "bind");
    os::SocketAddress own;
    if (::getsockname(socket_.number(), own.room(), own.room_length()) != 0) {
        refuse(errno, "getsockname");
    }
    endpoint_ = own.endpoint(beside.scheme());
}

void RawDatagramSocket::send_to(const Endpoint& to, std::string_view bytes) {
    const auto address = os::SocketAddress::of(to.ip());
    if (::sendto(socket_.number(), bytes.data(), bytes.size(), 0, address.data(),
                 address.length()) < 0) {
        refuse(errno, "sendto");
    }
}

std::optional<Letter> RawDatagramSocket::read_now() {
    std::vector<char> room(std::size_t{64} << 10U);
    os::SocketAddress from;
    const auto count = ::recvfrom(socket_.number(), room.data(), room.size(), MSG_DONTWAIT,
                                  from.room(), from.room_length());
    if (count < 0 && errno == EAGAIN) return {};
    if (count < 0) refuse(errno, "recvfrom");
    return Letter{.bytes = {room.data(), static_cast<std::size_t>(count)}, .from = from.ip()};
}

bool RawDatagramSocket::is_readable_within(int milliseconds) const {
    pollfd watched{.fd = socket_.number(), .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, milliseconds) > 0;
}

Letter RawDatagramSocket::read() {
    const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(patience());
    if (!is_readable_within(static_cast<int>(most.count()))) refuse(ETIMEDOUT, "recvfrom");
    return *read_now();
}

bool RawDatagramSocket::hears_nothing() { return !is_readable_within(kShortWhile); }

}  // namespace berth::test
