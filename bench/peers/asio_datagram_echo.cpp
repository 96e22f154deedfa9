// SPDX-License-Identifier: MIT
//
// asio_datagram_echo: a UDP echo server over Asio with callbacks, to compare ours with.
//
//     asio_datagram_echo      takes any free port of 127.0.0.1 and says which; SIGTERM ends it
//
// As Asio's own example, with a hint that one thread runs it: a datagram at a time.

#include <array>
#include <asio.hpp>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

using asio::ip::udp;

constexpr std::size_t kBufferBytes = 64U << 10U;

class Server {
public:
    explicit Server(asio::io_context& context)
        : socket_(context, {asio::ip::address_v4::loopback(), 0}) {}

    unsigned port() const { return socket_.local_endpoint().port(); }

    void receive() {
        socket_.async_receive_from(asio::buffer(*buffer_), peer_,
                                   [this](const asio::error_code& error, std::size_t count) {
                                       if (error) return receive();
                                       answer(count);
                                   });
    }

private:
    void answer(std::size_t count) {
        socket_.async_send_to(asio::buffer(*buffer_, count), peer_,
                              [this](const asio::error_code&, std::size_t) { receive(); });
    }

    udp::socket socket_;
    udp::endpoint peer_;
    using Buffer = std::array<char, kBufferBytes>;
    std::unique_ptr<Buffer> buffer_ = std::make_unique_for_overwrite<Buffer>();
};

}  // namespace

int main() {
    std::signal(SIGTERM, [](int) { std::_Exit(EXIT_SUCCESS); });
    asio::io_context context(ASIO_CONCURRENCY_HINT_UNSAFE);
    Server server(context);
    std::printf("listening udp://127.0.0.1:%u\n", server.port());
    std::fflush(stdout);
    server.receive();
    context.run();
}
