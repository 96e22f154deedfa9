// SPDX-License-Identifier: MIT
//
// libuv_datagram_echo: a UDP echo server over libuv, to compare ours with.
//
//     libuv_datagram_echo     takes any free port of 127.0.0.1 and says which; SIGTERM ends it
//
// With UV_UDP_RECVMMSG, so that one call receives up to 20 datagrams, and uv_udp_try_send.

#include <netinet/in.h>
#include <uv.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr std::size_t kDatagramBytes = 64U << 10U;  // what libuv takes for each
constexpr std::size_t kBatch = 20;                  // and how many, at most

std::vector<char> room(kBatch* kDatagramBytes);

void require(int status, const char* what) {
    if (status == 0) return;
    std::fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
    std::exit(EXIT_FAILURE);
}

void lend_room(uv_handle_t*, std::size_t, uv_buf_t* lent) {
    *lent = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
}

// What the kernel does not take is lost, as with ours.
void echo(uv_udp_t* socket, ssize_t count, const uv_buf_t* bytes, const sockaddr* peer, unsigned) {
    if (count < 0 || peer == nullptr) return;
    const uv_buf_t answer = uv_buf_init(bytes->base, static_cast<unsigned>(count));
    static_cast<void>(uv_udp_try_send(socket, &answer, 1, peer));
}

}  // namespace

int main() {
    uv_loop_t* const loop = uv_default_loop();
    uv_udp_t socket;
    sockaddr_in address{};
    require(uv_udp_init_ex(loop, &socket, AF_INET | UV_UDP_RECVMMSG), "uv_udp_init_ex");
    require(uv_ip4_addr("127.0.0.1", 0, &address), "uv_ip4_addr");
    require(uv_udp_bind(&socket, reinterpret_cast<const sockaddr*>(&address), 0), "uv_udp_bind");
    require(uv_udp_recv_start(&socket, lend_room, echo), "uv_udp_recv_start");
    int size = sizeof address;
    require(uv_udp_getsockname(&socket, reinterpret_cast<sockaddr*>(&address), &size),
            "uv_udp_getsockname");
    std::printf("listening udp://127.0.0.1:%u\n", unsigned{ntohs(address.sin_port)});
    std::fflush(stdout);
    uv_signal_t ended;
    uv_signal_init(loop, &ended);
    uv_signal_start(&ended, [](uv_signal_t* signal, int) { uv_stop(signal->loop); }, SIGTERM);
    return uv_run(loop, UV_RUN_DEFAULT) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
