// SPDX-License-Identifier: MIT
//
// bare_epoll_echo: the leanest echo that epoll(7) allows, as the yardstick for ours.
//
//     bare_epoll_echo [PORT | --unix PATH] [--busy]      SIGTERM ends it
//
// One thread, one buffer, edge-triggered, two inline system calls per message, nothing else: no
// connection objects, no callbacks, no timers, no other threads. Only what a socket does not take
// is kept, and that connection is not read until it is gone. It is no server: one peer may keep
// all others waiting.
//
// bench/ is no layer of the library: it may include the system, and src/os for the call itself.

#include "listening.hpp"
#include "os/raw_call.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace {

using bench::Listening;
using bench::require;
using berth::os::Call;
using berth::os::raw_call;

constexpr std::size_t kBufferBytes = 64U << 10U;
constexpr std::size_t kEventsMax = 512;

std::array<std::byte, kBufferBytes> buffer;
std::array<epoll_event, kEventsMax> events;
// By descriptor: what its socket did not take.
std::unordered_map<int, std::vector<std::byte>> rests;

// TCP tells of room for more only who was refused before. A Unix socket tells whenever its peer
// has read, so there it is asked for when it is needed.
std::uint32_t interest = 0;
constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;

void watch(int epoll, int operation, int descriptor, std::uint32_t wanted) {
    epoll_event event{};
    event.events = wanted;
    event.data.fd = descriptor;
    require(::epoll_ctl(epoll, operation, descriptor, &event) == 0, "epoll_ctl");
}

void accept_all(int epoll, int listener) {
    for (;;) {
        const int peer = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer < 0) return;
        watch(epoll, EPOLL_CTL_ADD, peer, interest);
    }
}

[[gnu::noinline]] void close_peer(int peer) {
    rests.erase(peer);
    ::close(peer);
}

// Of `count` bytes of the buffer, `sent` are gone, or it is an error.
[[gnu::noinline]] void keep_rest(int epoll, int peer, long count, long sent) {
    if (sent < 0 && sent != -EAGAIN) return close_peer(peer);
    const long taken = sent < 0 ? 0 : sent;
    rests[peer].assign(buffer.begin() + taken, buffer.begin() + count);
    if ((interest & EPOLLOUT) == 0) watch(epoll, EPOLL_CTL_MOD, peer, kReading | EPOLLOUT);
}

// May the peer be read again?
[[gnu::noinline]] bool send_rest(int epoll, int peer) {
    const auto found = rests.find(peer);
    if (found == rests.end()) return true;
    std::vector<std::byte>& rest = found->second;
    const long sent = raw_call(Call::send, peer, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent == -EAGAIN) return false;
    if (sent < 0) {
        close_peer(peer);
        return false;
    }
    rest.erase(rest.begin(), rest.begin() + sent);
    if (!rest.empty()) return false;
    rests.erase(found);
    if ((interest & EPOLLOUT) == 0) watch(epoll, EPOLL_CTL_MOD, peer, kReading);
    return true;
}

// A short read means that the socket is empty, unless a FIN came with the same edge.
void echo(int epoll, const epoll_event& event) {
    const int peer = event.data.fd;
    if (!rests.empty() && !send_rest(epoll, peer)) return;
    for (;;) {
        const long count = raw_call(Call::receive, peer, buffer.data(), buffer.size(), 0);
        if (count <= 0) {
            if (count != -EAGAIN) close_peer(peer);
            return;
        }
        const long sent = raw_call(Call::send, peer, buffer.data(), count, MSG_NOSIGNAL);
        if (sent != count) return keep_rest(epoll, peer, count, sent);
        if (count < static_cast<long>(kBufferBytes) && (event.events & EPOLLRDHUP) == 0) return;
    }
}

[[noreturn]] void serve(int listener, int patience_ms) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    require(epoll >= 0, "epoll_create1");
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        const long count = raw_call(Call::epoll_wait, epoll, events.data(), events.size(),
                                    patience_ms, nullptr, 0);
        for (long index = 0; index < count; ++index) {
            const epoll_event& event = events[static_cast<std::size_t>(index)];
            if (event.data.fd == listener) {
                accept_all(epoll, listener);
            } else {
                echo(epoll, event);
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const Listening listening = bench::open_as_told(argc, argv, SOCK_STREAM | SOCK_NONBLOCK);
    interest = listening.is_unix ? kReading : kReading | EPOLLOUT;
    serve(listening.socket, listening.is_busy ? 0 : -1);
}
