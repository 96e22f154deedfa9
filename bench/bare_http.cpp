// SPDX-License-Identifier: MIT
//
// bare_http: the leanest HTTP answer that epoll(7) allows, as the yardstick for ours.
//
//     bare_http [PORT | --unix PATH]      as listening.hpp says; SIGTERM ends it
//
// It looks for the empty line that ends a head, byte by byte, and gives one answer for each: the
// same bytes as `berth serve http`, but for the date. It reads no line: method, version, length
// and body are all the same to it. All else is as in bare_epoll_echo.cpp.

#include "listening.hpp"
#include "os/raw_call.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace {

using bench::require;
using berth::os::Call;
using berth::os::raw_call;

constexpr std::size_t kBufferBytes = 64U << 10U;
constexpr std::size_t kEventsMax = 512;

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
    "Content-Length: 14\r\n\r\nHello, world!\n";
constexpr std::size_t kAnswersMax = kBufferBytes / kEnd.size() * kAnswer.size();
constexpr std::size_t kDescriptorsMax = 1U << 16U;

std::array<char, kBufferBytes> buffer;
std::array<char, kAnswersMax> answers;
std::array<std::uint8_t, kDescriptorsMax> matched;  // of kEnd, where the last read stopped
std::array<epoll_event, kEventsMax> events;

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
        matched[static_cast<std::size_t>(peer)] = 0;
        watch(epoll, peer, EPOLLIN | EPOLLRDHUP | EPOLLET);
    }
}

// The bytes of the answers to what ends in the first `count` bytes of the buffer.
std::size_t answer(std::uint8_t& end_matched, std::size_t count) {
    std::size_t size = 0;
    unsigned at = end_matched;
    for (std::size_t i = 0; i < count; ++i) {
        const char one = buffer[i];
        at = one == kEnd[at] ? at + 1 : (one == '\r' ? 1 : 0);
        if (at < kEnd.size()) continue;
        std::memcpy(answers.data() + size, kAnswer.data(), kAnswer.size());
        size += kAnswer.size();
        at = 0;
    }
    end_matched = static_cast<std::uint8_t>(at);
    return size;
}

// A short read means that the socket is empty, unless a FIN came with the same edge.
void serve(const epoll_event& event) {
    const int peer = event.data.fd;
    for (;;) {
        const long count = raw_call(Call::receive, peer, buffer.data(), buffer.size(), 0);
        if (count <= 0) {
            if (count != -EAGAIN) ::close(peer);
            return;
        }
        const std::size_t size =
            answer(matched[static_cast<std::size_t>(peer)], static_cast<std::size_t>(count));
        if (size > 0) {
            const long sent = raw_call(Call::send, peer, answers.data(), size, MSG_NOSIGNAL);
            if (sent != static_cast<long>(size)) {
                ::close(peer);
                return;
            }
        }
        if (count < static_cast<long>(kBufferBytes) && (event.events & EPOLLRDHUP) == 0) return;
    }
}

[[noreturn]] void run(int listener) {
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
                serve(event);
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    run(bench::open_as_told(argc, argv, SOCK_STREAM | SOCK_NONBLOCK).socket);
}
