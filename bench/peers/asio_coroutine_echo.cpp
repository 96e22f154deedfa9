// SPDX-License-Identifier: MIT
//
// asio_coroutine_echo: an echo server over Asio with C++20 coroutines, to compare ours with.
//
//     asio_coroutine_echo     takes any free port of 127.0.0.1 and says which; SIGTERM ends it
//
// As Asio's own example, with a hint that one thread runs it.

#include <array>
#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <tuple>
#include <utility>

namespace {

using asio::ip::tcp;

constexpr std::size_t kBufferBytes = 64U << 10U;
constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);

asio::awaitable<void> echo(tcp::socket socket) {
    // Not zeroed: pages that no message touches stay unused.
    const auto buffer = std::make_unique_for_overwrite<std::array<char, kBufferBytes>>();
    for (;;) {
        const auto [failed, count] =
            co_await socket.async_read_some(asio::buffer(*buffer), kAsTuple);
        if (failed) co_return;
        const auto [broken, sent] =
            co_await asio::async_write(socket, asio::buffer(*buffer, count), kAsTuple);
        if (broken) co_return;
    }
}

asio::awaitable<void> serve(tcp::acceptor acceptor) {
    for (;;) {
        auto [failed, socket] = co_await acceptor.async_accept(kAsTuple);
        if (failed) continue;
        socket.set_option(tcp::no_delay(true));
        asio::co_spawn(acceptor.get_executor(), echo(std::move(socket)), asio::detached);
    }
}

}  // namespace

int main() {
    std::signal(SIGTERM, [](int) { std::_Exit(EXIT_SUCCESS); });
    asio::io_context context(ASIO_CONCURRENCY_HINT_UNSAFE);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    std::printf("listening tcp://127.0.0.1:%u\n", unsigned{acceptor.local_endpoint().port()});
    std::fflush(stdout);
    asio::co_spawn(context, serve(std::move(acceptor)), asio::detached);
    context.run();
}
