// SPDX-License-Identifier: MIT
//
// libuv_echo: an echo server over libuv, to compare ours with.
//
//     libuv_echo          takes any free port of 127.0.0.1 and says which; SIGTERM ends it
//
// One loop, one read buffer for all, uv_try_write first and a copy of what that did not take.

#include <netinet/in.h>
#include <uv.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

constexpr std::size_t kBufferBytes = 64U << 10U;
constexpr int kBacklog = 4096;

std::array<char, kBufferBytes> buffer;

struct Write {
    uv_write_t request{};
    std::vector<char> bytes;
};

void require(int status, const char* what) {
    if (status == 0) return;
    std::fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
    std::exit(EXIT_FAILURE);
}

uv_stream_t* stream(uv_tcp_t* tcp) { return reinterpret_cast<uv_stream_t*>(tcp); }

void close_peer(uv_stream_t* peer) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(peer);
    if (uv_is_closing(handle) != 0) return;
    uv_close(handle, [](uv_handle_t* closed) { delete reinterpret_cast<uv_tcp_t*>(closed); });
}

void lend_buffer(uv_handle_t*, std::size_t, uv_buf_t* lent) {
    *lent = uv_buf_init(buffer.data(), kBufferBytes);
}

void written(uv_write_t* request, int) { delete static_cast<Write*>(request->data); }

void echo(uv_stream_t* peer, ssize_t count, const uv_buf_t*) {
    if (count < 0) return close_peer(peer);
    uv_buf_t bytes = uv_buf_init(buffer.data(), static_cast<unsigned>(count));
    const int sent = uv_try_write(peer, &bytes, 1);
    if (sent == count) return;
    if (sent < 0 && sent != UV_EAGAIN) return close_peer(peer);
    auto write = std::make_unique<Write>();
    write->bytes.assign(buffer.data() + (sent > 0 ? sent : 0), buffer.data() + count);
    write->request.data = write.get();
    bytes = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
    if (uv_write(&write->request, peer, &bytes, 1, written) != 0) return close_peer(peer);
    static_cast<void>(write.release());  // written() deletes it
}

void welcome(uv_stream_t* listener, int status) {
    if (status < 0) return;
    auto* const peer = new uv_tcp_t;
    uv_tcp_init(listener->loop, peer);
    if (uv_accept(listener, stream(peer)) != 0) return close_peer(stream(peer));
    uv_tcp_nodelay(peer, 1);
    uv_read_start(stream(peer), lend_buffer, echo);
}

}  // namespace

int main() {
    uv_loop_t* const loop = uv_default_loop();
    uv_tcp_t listener;
    sockaddr_in address{};
    require(uv_tcp_init(loop, &listener), "uv_tcp_init");
    require(uv_ip4_addr("127.0.0.1", 0, &address), "uv_ip4_addr");
    require(uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0), "uv_tcp_bind");
    require(uv_listen(stream(&listener), kBacklog, welcome), "uv_listen");
    int size = sizeof address;
    require(uv_tcp_getsockname(&listener, reinterpret_cast<sockaddr*>(&address), &size),
            "uv_tcp_getsockname");
    std::printf("listening tcp://127.0.0.1:%u\n", unsigned{ntohs(address.sin_port)});
    std::fflush(stdout);
    uv_signal_t ended;
    uv_signal_init(loop, &ended);
    uv_signal_start(&ended, [](uv_signal_t* signal, int) { uv_stop(signal->loop); }, SIGTERM);
    return uv_run(loop, UV_RUN_DEFAULT) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
