// SPDX-License-Identifier: MIT
//
// RealMachine: each call, made.

#include "differential/real_machine.hpp"

#include "base/outcome.hpp"
#include "differential/machine.hpp"
#include "driver/descriptor.hpp"
#include "driver/kernel_system.hpp"
#include "driver/sim/process.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/socket_address.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

namespace berth::differential {

namespace {

// One set of plain calls is enough: these questions are System's own.
driver::System& system() { return driver::kernel_system(); }

int number_of(Family family) {
    switch (family) {
        case Family::v4: return AF_INET;
        case Family::v6: return AF_INET6;
        case Family::local: return AF_UNIX;
    }
    return AF_UNSPEC;
}

int number_of(Shut what) {
    switch (what) {
        case Shut::reading: return SHUT_RD;
        case Shut::sending: return SHUT_WR;
        case Shut::both: return SHUT_RDWR;
    }
    return -1;
}

template <class Count>
Outcome<std::size_t> counted(Count answer) {
    if (answer < 0) return base::failed(static_cast<int>(-answer));
    return static_cast<std::size_t>(answer);
}

void make_prompt(int socket) {
    constexpr std::string_view kPlain = "reno";
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, kPlain.data(), kPlain.size());
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

RealMachine::~RealMachine() {
    for (const int descriptor : open_) os::close(descriptor);
    for (const auto& path : paths_) static_cast<void>(os::unlink(path));
}

Outcome<Descriptor> RealMachine::socket(Family family, Kind kind) {
    const bool is_stream = kind == Kind::stream;
    const auto opened = os::open_socket(number_of(family), is_stream ? SOCK_STREAM : SOCK_DGRAM);
    if (!opened) return base::failed(opened.errno_value());
    open_.insert(*opened);
    if (is_stream && family != Family::local) make_prompt(*opened);
    return Descriptor{*opened};
}

Outcome<void> RealMachine::set(Descriptor socket, SocketOption option, int value) {
    return system().set(socket, option, value);
}

Outcome<void> RealMachine::bind(Descriptor socket, const Endpoint& endpoint) {
    const auto address = os::SocketAddress::of(endpoint);
    if (!address) return base::failed(address.errno_value());
    const auto bound = os::bind(number(socket), *address);
    if (bound && endpoint.is_unix() && !endpoint.is_abstract()) paths_.insert(endpoint.name());
    return bound;
}

Outcome<void> RealMachine::listen(Descriptor socket, int backlog) {
    return system().listen(socket, backlog);
}

Outcome<void> RealMachine::connect(Descriptor socket, const Endpoint& endpoint) {
    const auto address = os::SocketAddress::of(endpoint);
    if (!address) return base::failed(address.errno_value());
    return os::connect(number(socket), *address);
}

Outcome<Accepted> RealMachine::accept(Descriptor listener) {
    auto accepted = system().accept(listener);
    if (accepted) open_.insert(number(accepted->descriptor));
    return accepted;
}

Outcome<std::size_t> RealMachine::send(Descriptor socket, Bytes bytes) {
    return counted(os::send_bytes(number(socket), bytes.data(), bytes.size()));
}

Outcome<std::size_t> RealMachine::receive(Descriptor socket, MutableBytes into) {
    return counted(os::recv_bytes(number(socket), into.data(), into.size()));
}

Outcome<std::size_t> RealMachine::send_to(Descriptor socket, const Endpoint& endpoint,
                                          Bytes bytes) {
    const auto address = os::SocketAddress::of(endpoint);
    if (!address) return base::failed(address.errno_value());
    const auto sent = ::sendto(number(socket), bytes.data(), bytes.size(), MSG_NOSIGNAL,
                               address->data(), address->length());
    if (sent < 0) return base::failed(errno);
    return static_cast<std::size_t>(sent);
}

Outcome<Datagram> RealMachine::receive_from(Descriptor socket, MutableBytes into) {
    os::SocketAddress from;
    iovec room{.iov_base = into.data(), .iov_len = into.size()};
    msghdr message{};
    message.msg_name = from.room();
    message.msg_namelen = from.length();
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    const auto size = ::recvmsg(number(socket), &message, 0);
    if (size < 0) return base::failed(errno);
    return Datagram{.size = static_cast<std::size_t>(size),
                    .truncated = (message.msg_flags & MSG_TRUNC) != 0,
                    .from = from.endpoint(Scheme::udp),
                    .to = {},
                    .dropped = 0};
}

Outcome<void> RealMachine::shutdown(Descriptor socket, Shut what) {
    if (::shutdown(number(socket), number_of(what)) != 0) return base::failed(errno);
    return {};
}

void RealMachine::close(Descriptor socket) {
    open_.erase(number(socket));
    os::close(number(socket));
}

int RealMachine::take_error(Descriptor socket) {
    const auto error = os::option(number(socket), os::kPendingError);
    return error ? *error : error.errno_value();
}

Outcome<Endpoint> RealMachine::local_endpoint(Descriptor socket, Scheme scheme) {
    return system().local_endpoint(socket, scheme);
}

Outcome<Endpoint> RealMachine::peer_endpoint(Descriptor socket, Scheme scheme) {
    return system().peer_endpoint(socket, scheme);
}

Outcome<std::size_t> RealMachine::unacknowledged(Descriptor socket) {
    return system().unacknowledged(socket);
}

Outcome<std::size_t> RealMachine::never_sent(Descriptor socket) {
    return system().never_sent(socket);
}

Readiness RealMachine::readiness(Descriptor socket) {
    pollfd asked{.fd = number(socket), .events = POLLIN | POLLOUT | POLLRDHUP, .revents = 0};
    ::poll(&asked, 1, 0);
    const auto has = [&](int event) { return (asked.revents & event) != 0; };
    return {.readable = has(POLLIN),
            .writable = has(POLLOUT),
            .peer_ended = has(POLLRDHUP),
            .hung_up = has(POLLHUP),
            .failed = has(POLLERR)};
}

Outcome<PathFacts> RealMachine::inspect(const std::string& path) { return system().inspect(path); }

Outcome<bool> RealMachine::path_has_owner(const std::string& path) {
    return system().path_has_owner(path);
}

Outcome<void> RealMachine::unlink(const std::string& path) { return system().unlink(path); }

bool RealMachine::settle() {
    const int on = 1;
    for (const int descriptor : open_) {  // not TCP: it says so, which is fine
        ::setsockopt(descriptor, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    }
    ::poll(nullptr, 0, 1);  // others may run meanwhile: the kernel's own threads too
    return true;
}

}  // namespace berth::differential
