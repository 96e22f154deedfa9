// SPDX-License-Identifier: MIT
//
// return_cost: what it costs to return beyond a system call.
//
//     return_cost [ROUNDS]        one line of JSON: nanoseconds for a message of 64 bytes
//
// A message is one send and one receive on a pair of TCP sockets, by one thread. `inline`: both
// calls are made in the loop itself; `by_ret`: by a function each; `by_jump`: by the same
// functions, whose `ret` is a jump. What differs is the return, and what it does to those of the
// kernel: docs/decisions/0017-returns.md. The three take turns; told are the medians.

#include "os/raw_call.hpp"
#include "os/returns.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using berth::os::Call;
using berth::os::raw_call;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMessages = 2000;  // of one turn

struct Pair {
    int from = -1;
    int to = -1;
    std::array<std::byte, 64> message{};
};

[[noreturn]] void give_up(const char* call) {
    std::perror(call);
    std::exit(EXIT_FAILURE);
}

Pair connected() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, any, length) != 0 || ::listen(listener, 1) != 0) give_up("listen");
    if (::getsockname(listener, any, &length) != 0) give_up("getsockname");
    Pair pair;
    pair.from = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(pair.from, any, length) != 0) give_up("connect");
    pair.to = ::accept(listener, nullptr, nullptr);
    if (pair.to < 0) give_up("accept");
    ::close(listener);
    return pair;
}

[[gnu::always_inline]] inline long send_one(Pair& pair) {
    return raw_call(Call::send, pair.from, pair.message.data(), pair.message.size(), MSG_NOSIGNAL,
                    nullptr);
}
[[gnu::always_inline]] inline long receive_one(Pair& pair) {
    return raw_call(Call::receive, pair.to, pair.message.data(), pair.message.size(), MSG_WAITALL);
}
[[gnu::noinline]] long send_by_ret(Pair& pair) { return send_one(pair); }
[[gnu::noinline]] long receive_by_ret(Pair& pair) { return receive_one(pair); }
BERTH_RETURNS_BY_JUMP [[gnu::noinline]] long send_by_jump(Pair& pair) { return send_one(pair); }
BERTH_RETURNS_BY_JUMP [[gnu::noinline]] long receive_by_jump(Pair& pair) {
    return receive_one(pair);
}

template <class Send, class Receive>
[[gnu::always_inline]] inline double one_turn(Pair& pair, Send send, Receive receive) {
    const auto began = Clock::now();
    for (std::size_t each = 0; each < kMessages; ++each) {
        if (send(pair) != 64 || receive(pair) != 64) give_up("echo");
    }
    return std::chrono::duration<double, std::nano>(Clock::now() - began).count() / kMessages;
}

// Each in a function of its own: where code lies matters, too.
[[gnu::noinline]] double inline_turn(Pair& pair) { return one_turn(pair, send_one, receive_one); }
[[gnu::noinline]] double ret_turn(Pair& pair) {
    return one_turn(pair, send_by_ret, receive_by_ret);
}
[[gnu::noinline]] double jump_turn(Pair& pair) {
    return one_turn(pair, send_by_jump, receive_by_jump);
}

double median(std::vector<double>& values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t rounds = argc > 1 ? std::stoul(argv[1]) : 200;
    Pair pair = connected();
    std::vector<double> inlined;
    std::vector<double> by_ret;
    std::vector<double> by_jump;
    for (std::size_t round = 0; round < std::max<std::size_t>(rounds, 1); ++round) {
        inlined.push_back(inline_turn(pair));
        by_ret.push_back(ret_turn(pair));
        by_jump.push_back(jump_turn(pair));
    }
    std::printf("{\"inline\": %.0f, \"by_ret\": %.0f, \"by_jump\": %.0f}\n", median(inlined),
                median(by_ret), median(by_jump));
}
