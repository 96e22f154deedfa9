// SPDX-License-Identifier: MIT
//
// bare_epoll_echo: the leanest echo that epoll(7) allows, as the yardstick for ours.
//
//     bare_epoll_echo [PORT]      0, the default, takes any free one; SIGTERM ends it
//
// One thread, one buffer, edge-triggered, two inline system calls per message, nothing else: no
// connection objects, no callbacks, no timers, no other threads. It is no server: an answer that
// the socket does not take whole ends the connection, and one peer may keep all others waiting.
//
// bench/ is no layer of the library: it may include the system, and src/os for the call itself.

#include "os/raw_call.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using berth::os::Call;
using berth::os::raw_call;

constexpr std::size_t kBufferBytes = 64U << 10U;
constexpr std::size_t kEventsMax = 512;
constexpr int kBacklog = 4096;

std::array<std::byte, kBufferBytes> buffer;
std::array<epoll_event, kEventsMax> events;

struct Listening {
    int socket;
    std::uint16_t port;
};

// A failure is told by perror(3) and ends the program.
void require(bool succeeded, const char* what) {
    if (succeeded) return;
    std::perror(what);
    std::exit(EXIT_FAILURE);
}

// Options of the listener are inherited by what it accepts: no call per connection.
Listening listen_on(std::uint16_t port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    require(listener >= 0, "socket");
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    require(::bind(listener, generic, size) == 0, "bind");
    require(::listen(listener, kBacklog) == 0, "listen");
    require(::getsockname(listener, generic, &size) == 0, "getsockname");
    return {listener, ntohs(address.sin_port)};
}

void watch(int epoll, int descriptor, std::uint32_t interest) {
    epoll_event event{};
    event.events = interest;
    event.data.fd = descriptor;
    require(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
}

void accept_all(int epoll, int listener) {
    for (;;) {
        const int peer = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer < 0) return;
        watch(epoll, peer, EPOLLIN | EPOLLRDHUP | EPOLLET);
    }
}

// A short read means that the socket is empty, unless a FIN came with the same edge.
void echo(const epoll_event& event) {
    const int peer = event.data.fd;
    for (;;) {
        const long count = raw_call(Call::receive, peer, buffer.data(), buffer.size(), 0);
        if (count <= 0) {
            if (count != -EAGAIN) ::close(peer);
            return;
        }
        const long sent = raw_call(Call::send, peer, buffer.data(), count, MSG_NOSIGNAL);
        if (sent != count) {
            ::close(peer);
            return;
        }
        if (count < static_cast<long>(kBufferBytes) && (event.events & EPOLLRDHUP) == 0) return;
    }
}

[[noreturn]] void serve(int listener) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    require(epoll >= 0, "epoll_create1");
    watch(epoll, listener, EPOLLIN);
    for (;;) {
        const long count =
            raw_call(Call::epoll_wait, epoll, events.data(), events.size(), -1, nullptr, 0);
        for (long index = 0; index < count; ++index) {
            const epoll_event& event = events[static_cast<std::size_t>(index)];
            if (event.data.fd == listener) {
                accept_all(epoll, listener);
            } else {
                echo(event);
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 0;
    if (argc > 1) {
        const char* const end = argv[1] + std::strlen(argv[1]);
        const auto parsed = std::from_chars(argv[1], end, port);
        if (argc > 2 || parsed.ec != std::errc{} || parsed.ptr != end) {
            std::fprintf(stderr, "usage: %s [PORT]\n", argv[0]);
            return 2;
        }
    }
    std::signal(SIGTERM, [](int) { std::_Exit(EXIT_SUCCESS); });
    const Listening listening = listen_on(port);
    std::printf("listening tcp://127.0.0.1:%u\n", unsigned{listening.port});
    std::fflush(stdout);
    serve(listening.socket);
}
