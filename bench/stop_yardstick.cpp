// SPDX-License-Identifier: MIT
//
// stop_yardstick: the fastest end of many connections that epoll(7) allows, and peers to end.
//
//     stop_yardstick serve COUNT                   accepts COUNT, prints "ready"; a line on stdin
//                                                  closes them: prints how long that took
//     stop_yardstick peers PORT COUNT close        COUNT peers that close when they see a FIN
//     stop_yardstick peers PORT COUNT hold BYTES   that send BYTES each, never read, never close
//
// The server does what every server must at least: it takes each connection out of its epoll set
// and closes it. Peers live until their stdin ends. tools/prove/stop-speed puts both together.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kEventsMax = 512;
constexpr int kBacklog = 4096;
constexpr int kSmallBuffer = 1;  // the kernel's least

// A failure is told by perror(3) and ends the program.
void require(bool succeeded, const char* what) {
    if (succeeded) return;
    std::perror(what);
    std::exit(EXIT_FAILURE);
}

void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void watch(int epoll, int descriptor, std::uint32_t interest) {
    epoll_event event{};
    event.events = interest;
    event.data.fd = descriptor;
    require(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
}

int listen_anywhere() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    require(::bind(listener, generic, size) == 0, "bind");
    require(::listen(listener, kBacklog) == 0, "listen");
    require(::getsockname(listener, generic, &size) == 0, "getsockname");
    say("listening " + std::to_string(ntohs(address.sin_port)));
    return listener;
}

void serve(std::size_t count) {
    const int listener = listen_anywhere();
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<int> connections;
    while (connections.size() < count) {
        connections.push_back(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        require(connections.back() >= 0, "accept4");
        watch(epoll, connections.back(), EPOLLIN | EPOLLRDHUP | EPOLLET);
    }
    say("ready");
    std::getchar();
    const auto began = std::chrono::steady_clock::now();
    for (const int connection : connections) {
        ::epoll_ctl(epoll, EPOLL_CTL_DEL, connection, nullptr);
        ::close(connection);
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    say("closed " + std::to_string(took.count()));
}

int connect_peer(std::uint16_t port, std::size_t bytes) {
    const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(peer >= 0, "socket");
    if (bytes > 0) {
        ::setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &kSmallBuffer, sizeof kSmallBuffer);
    }
    const sockaddr_in address = loopback(port);
    require(::connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
            "connect");
    const std::string owed(bytes, 'x');
    if (bytes > 0) require(::send(peer, owed.data(), bytes, MSG_NOSIGNAL) > 0, "send");
    return peer;
}

// Until stdin ends.
void close_on_fin(int epoll) {
    watch(epoll, STDIN_FILENO, EPOLLIN);
    std::array<epoll_event, kEventsMax> events{};
    for (;;) {
        const int count = ::epoll_wait(epoll, events.data(), kEventsMax, -1);
        require(count >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < count; ++i) {
            if (events[static_cast<std::size_t>(i)].data.fd == STDIN_FILENO) return;
            ::close(events[static_cast<std::size_t>(i)].data.fd);
        }
    }
}

void be_peers(std::uint16_t port, std::size_t count, bool closes, std::size_t bytes) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    for (std::size_t i = 0; i < count; ++i) {
        const int peer = connect_peer(port, bytes);
        if (closes) watch(epoll, peer, EPOLLIN | EPOLLRDHUP);
    }
    say("connected");
    if (closes) return close_on_fin(epoll);
    while (std::getchar() != EOF) {
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 2 && words[0] == "serve") {
        serve(std::stoul(words[1]));
    } else if (words.size() >= 4 && words[0] == "peers") {
        be_peers(static_cast<std::uint16_t>(std::stoul(words[1])), std::stoul(words[2]),
                 words[3] == "close", words.size() > 4 ? std::stoul(words[4]) : 0);
    } else {
        std::fputs("usage: stop_yardstick serve COUNT | peers PORT COUNT close|hold [BYTES]\n",
                   stderr);
        return 2;
    }
    return 0;
}
