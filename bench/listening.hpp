// SPDX-License-Identifier: MIT
//
// listening: how the bare loops of this folder open the socket that they serve, and say so.
//
//     PROGRAM [PORT]          of 127.0.0.1; 0, the default, takes any free one
//     PROGRAM --unix PATH     a Unix stream socket, which must not exist yet
//     PROGRAM … --busy        what waits for events never sleeps
//
// Threads:   before there is a second one.
// Errors:    told on stderr, and the end of the program: 1 for a failure, 2 for wrong usage.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace bench {

inline constexpr int kBacklog = 4096;

// A failure is told by perror(3) and ends the program.
inline void require(bool succeeded, const char* what) {
    if (succeeded) return;
    std::perror(what);
    std::exit(EXIT_FAILURE);
}

struct Listening {
    int socket = -1;
    bool is_unix = false;
    bool is_busy = false;
};

// `type` is SOCK_STREAM or SOCK_DGRAM, perhaps with SOCK_NONBLOCK. Options of a listener are
// inherited by what it accepts: no call per connection.
inline Listening open_port(std::uint16_t port, int type) {
    const int listener = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    require(listener >= 0, "socket");
    const bool is_stream = (type & SOCK_STREAM) != 0;
    const int on = 1;
    if (is_stream) {
        ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    require(::bind(listener, generic, size) == 0, "bind");
    if (is_stream) require(::listen(listener, kBacklog) == 0, "listen");
    require(::getsockname(listener, generic, &size) == 0, "getsockname");
    std::printf("listening %s://127.0.0.1:%u\n", is_stream ? "tcp" : "udp",
                unsigned{ntohs(address.sin_port)});
    return {.socket = listener};
}

inline Listening open_path(std::string_view path, int type) {
    const int listener = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    require(listener >= 0, "socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    require(path.size() < sizeof address.sun_path, "the path is too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    require(::bind(listener, generic, sizeof address) == 0, "bind");
    require(::listen(listener, kBacklog) == 0, "listen");
    std::printf("listening unix://%s\n", address.sun_path);
    return {.socket = listener, .is_unix = true};
}

// As the words of the command line say. SIGTERM ends the program from now on.
inline Listening open_as_told(int argc, char** argv, int type) {
    std::signal(SIGTERM, [](int) { std::_Exit(EXIT_SUCCESS); });
    const bool is_busy = argc > 1 && std::string_view(argv[argc - 1]) == "--busy";
    if (is_busy) --argc;
    Listening listening;
    if (argc == 3 && std::string_view(argv[1]) == "--unix") {
        listening = open_path(argv[2], type);
    } else {
        std::uint16_t port = 0;
        const char* const word = argc > 1 ? argv[1] : "0";
        const char* const end = word + std::strlen(word);
        const auto parsed = std::from_chars(word, end, port);
        if (argc > 2 || parsed.ec != std::errc{} || parsed.ptr != end) {
            std::fprintf(stderr, "usage: %s [PORT | --unix PATH] [--busy]\n", argv[0]);
            std::exit(2);
        }
        listening = open_port(port, type);
    }
    listening.is_busy = is_busy;
    std::fflush(stdout);
    return listening;
}

}  // namespace bench
