// SPDX-License-Identifier: MIT
//
// splice_cost: what a relay's bytes cost by recv and send, and by splice(2) through a pipe.
//
//     splice_cost [MEGABYTES]       a line per size and way: CPU time of the relay per gigabyte
//
// A sender, a relay and a receiver over two TCP connections of loopback, each on a thread. The
// sender hands over SIZE bytes and waits for the receiver to have them, so that the relay meets
// them in pieces of that size; the largest size is a stream without waiting. The ways take turns,
// and the least of several rounds counts: what the machine does meanwhile only adds.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kBufferBytes = 64U << 10U;  // as a driver's receive buffer
constexpr int kRounds = 7;

[[noreturn]] void give_up(const char* call) {
    std::perror(call);
    std::exit(1);
}

void check(bool is_well, const char* call) {
    if (!is_well) give_up(call);
}

// Both ends of a connection over loopback.
std::pair<int, int> connection() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    check(::bind(listener, any, length) == 0, "bind");
    check(::listen(listener, 1) == 0, "listen");
    ::getsockname(listener, any, &length);
    const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(::connect(one, any, length) == 0, "connect");
    const int other = ::accept(listener, nullptr, nullptr);
    check(other >= 0, "accept");
    const int yes = 1;
    for (const int end : {one, other}) {
        ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    ::close(listener);
    return {one, other};
}

double thread_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// ── Two ways to carry bytes from one socket to the other, until the first one's end ───────────

void by_copying(int from, int to) {
    std::vector<std::byte> buffer(kBufferBytes);
    for (;;) {
        const ssize_t count = ::recv(from, buffer.data(), buffer.size(), 0);
        if (count <= 0) return;
        for (ssize_t sent = 0; sent < count;) {
            const ssize_t taken = ::send(to, buffer.data() + sent,
                                         static_cast<std::size_t>(count - sent), MSG_NOSIGNAL);
            check(taken > 0, "send");
            sent += taken;
        }
    }
}

void by_splicing(int from, int to) {
    std::array<int, 2> pipe{};
    check(::pipe2(pipe.data(), O_CLOEXEC) == 0, "pipe2");
    ::fcntl(pipe[1], F_SETPIPE_SZ, 1 << 20);
    for (;;) {
        ssize_t count = ::splice(from, nullptr, pipe[1], nullptr, 1 << 20, SPLICE_F_MOVE);
        if (count <= 0) break;
        while (count > 0) {
            const ssize_t taken = ::splice(pipe[0], nullptr, to, nullptr,
                                           static_cast<std::size_t>(count), SPLICE_F_MOVE);
            check(taken > 0, "splice");
            count -= taken;
        }
    }
    ::close(pipe[0]);
    ::close(pipe[1]);
}

// CPU seconds of the relay for `total` bytes in pieces of `size`.
double run(void (*carry)(int, int), std::size_t size, std::size_t total) {
    const auto [sender, relay_in] = connection();
    const auto [relay_out, receiver] = connection();
    double cpu = 0;
    std::thread relay([&, in = relay_in, out = relay_out] {
        const double before = thread_seconds();
        carry(in, out);
        cpu = thread_seconds() - before;
    });
    std::vector<std::byte> piece(std::min(size, total));
    std::vector<std::byte> received(1U << 20U);
    const bool waits = size <= total / 2;
    const auto receive = [&, from = receiver](std::size_t wanted) {
        while (wanted > 0) {
            const ssize_t count =
                ::recv(from, received.data(), std::min(wanted, received.size()), 0);
            check(count > 0, "recv");
            wanted -= static_cast<std::size_t>(count);
        }
    };
    std::thread stream;
    if (!waits) stream = std::thread([&] { receive(total); });
    for (std::size_t sent = 0; sent < total; sent += piece.size()) {
        for (std::size_t at = 0; at < piece.size();) {
            const ssize_t taken =
                ::send(sender, piece.data() + at, piece.size() - at, MSG_NOSIGNAL);
            check(taken > 0, "send");
            at += static_cast<std::size_t>(taken);
        }
        if (waits) receive(piece.size());
    }
    if (stream.joinable()) stream.join();
    ::close(sender);
    relay.join();
    for (const int end : {relay_in, relay_out, receiver}) ::close(end);
    return cpu;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t megabytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 256;
    constexpr std::size_t kEndless = std::numeric_limits<std::size_t>::max();
    for (const std::size_t size : {std::size_t{1024}, std::size_t{16} << 10U,
                                   std::size_t{64} << 10U, std::size_t{256} << 10U, kEndless}) {
        const std::size_t total =
            std::min(megabytes << 20U, size == kEndless ? kEndless : size * 8192);
        std::array<double, 2> least{1e9, 1e9};
        for (int round = 0; round < kRounds; ++round) {
            least[0] = std::min(least[0], run(by_copying, size, total));
            least[1] = std::min(least[1], run(by_splicing, size, total));
        }
        const double per_gigabyte = 1e9 / static_cast<double>(total);
        const std::string name = size == kEndless ? "stream" : std::to_string(size);
        std::printf("%8s bytes: copied %7.3f s/GB, spliced %7.3f s/GB, ratio %.2f\n", name.c_str(),
                    least[0] * per_gigabyte, least[1] * per_gigabyte, least[0] / least[1]);
    }
}
