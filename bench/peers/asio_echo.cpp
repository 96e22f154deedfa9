// SPDX-License-Identifier: MIT
//
// asio_echo, asio_uring_echo: an echo server over Asio with callbacks, to compare ours with.
//
//     asio_echo           takes any free port of 127.0.0.1 and says which; SIGTERM ends it
//
// As Asio's own example, with a hint that one thread runs it. The second program is the same
// source with Asio's io_uring back end in the place of epoll.

#include <array>
#include <asio.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace {

using asio::ip::tcp;

constexpr std::size_t kBufferBytes = 64U << 10U;

class Session : public std::enable_shared_from_this<Session> {
public:
    explicit Session(tcp::socket socket) : socket_(std::move(socket)) {}

    void read() {
        socket_.async_read_some(
            asio::buffer(*buffer_),
            [self = shared_from_this()](const asio::error_code& error, std::size_t count) {
                if (!error) self->write(count);
            });
    }

private:
    void write(std::size_t count) {
        asio::async_write(socket_, asio::buffer(*buffer_, count),
                          [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                              if (!error) self->read();
                          });
    }

    tcp::socket socket_;
    using Buffer = std::array<char, kBufferBytes>;
    // Not zeroed: pages that no message touches stay unused.
    std::unique_ptr<Buffer> buffer_ = std::make_unique_for_overwrite<Buffer>();
};

void accept(tcp::acceptor& acceptor) {
    acceptor.async_accept([&acceptor](const asio::error_code& error, tcp::socket socket) {
        if (!error) {
            socket.set_option(tcp::no_delay(true));
            std::make_shared<Session>(std::move(socket))->read();
        }
        accept(acceptor);
    });
}

}  // namespace

int main() {
    std::signal(SIGTERM, [](int) { std::_Exit(EXIT_SUCCESS); });
    asio::io_context context(ASIO_CONCURRENCY_HINT_UNSAFE);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    std::printf("listening tcp://127.0.0.1:%u\n", unsigned{acceptor.local_endpoint().port()});
    std::fflush(stdout);
    accept(acceptor);
    context.run();
}
