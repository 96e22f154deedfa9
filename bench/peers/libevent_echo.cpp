// SPDX-License-Identifier: MIT
//
// libevent_echo: an echo server over libevent's bufferevents, to compare ours with.
//
//     libevent_echo       takes any free port of 127.0.0.1 and says which; SIGTERM ends it
//
// Reads are allowed 64 KiB at a time instead of the 4 KiB that libevent starts with.

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::size_t kReadBytes = 64U << 10U;
constexpr int kBacklog = 4096;

void echo(bufferevent* peer, void*) {
    evbuffer_add_buffer(bufferevent_get_output(peer), bufferevent_get_input(peer));
}

void ended(bufferevent* peer, short, void*) { bufferevent_free(peer); }

void welcome(evconnlistener* listener, evutil_socket_t socket, sockaddr*, int, void*) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    event_base* const base = evconnlistener_get_base(listener);
    bufferevent* const peer = bufferevent_socket_new(base, socket, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_set_max_single_read(peer, kReadBytes);
    bufferevent_setcb(peer, echo, nullptr, ended, nullptr);
    bufferevent_enable(peer, EV_READ | EV_WRITE);
}

}  // namespace

int main() {
    event_base* const base = event_base_new();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    evconnlistener* const listener = evconnlistener_new_bind(
        base, welcome, nullptr, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, kBacklog,
        reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (listener == nullptr) {
        std::perror("evconnlistener_new_bind");
        return EXIT_FAILURE;
    }
    socklen_t size = sizeof address;
    ::getsockname(evconnlistener_get_fd(listener), reinterpret_cast<sockaddr*>(&address), &size);
    std::printf("listening tcp://127.0.0.1:%u\n", unsigned{ntohs(address.sin_port)});
    std::fflush(stdout);
    event* const signal = evsignal_new(
        base, SIGTERM,
        [](evutil_socket_t, short, void* stopped) {
            event_base_loopbreak(static_cast<event_base*>(stopped));
        },
        base);
    event_add(signal, nullptr);
    return event_base_dispatch(base) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
