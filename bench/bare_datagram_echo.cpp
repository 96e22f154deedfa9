// SPDX-License-Identifier: MIT
//
// bare_datagram_echo: the leanest UDP echo that batches allow, as the yardstick for ours.
//
//     bare_datagram_echo [PORT]      SIGTERM ends it
//
// One thread, one socket, recvmmsg(2) and sendmmsg(2) of up to 32 datagrams, nothing else: no
// addresses are looked at, nothing is counted. The first call of a batch waits.

#include "listening.hpp"
#include "os/raw_call.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>

namespace {

using berth::os::Call;
using berth::os::raw_call;

constexpr std::size_t kBatch = 32;
// One line more than a power of two, or all would share one set of the caches.
constexpr std::size_t kSlotBytes = (64U << 10U) + 64;

struct Batch {
    std::array<std::array<std::byte, kSlotBytes>, kBatch> bytes;
    std::array<sockaddr_in, kBatch> peers;
    std::array<iovec, kBatch> vectors;
    std::array<mmsghdr, kBatch> headers;
};

[[noreturn]] void serve(int socket) {
    const auto batch = std::make_unique_for_overwrite<Batch>();
    batch->headers = {};
    for (std::size_t index = 0; index < kBatch; ++index) {
        msghdr& message = batch->headers[index].msg_hdr;
        message.msg_iov = &batch->vectors[index];
        message.msg_iovlen = 1;
        message.msg_name = &batch->peers[index];
    }
    std::size_t used = kBatch;
    for (;;) {
        for (std::size_t index = 0; index < used; ++index) {
            batch->vectors[index] = {.iov_base = batch->bytes[index].data(), .iov_len = kSlotBytes};
            batch->headers[index].msg_hdr.msg_namelen = sizeof(sockaddr_in);
        }
        const long came = raw_call(Call::receive_datagrams, socket, batch->headers.data(), kBatch,
                                   MSG_WAITFORONE, nullptr);
        used = came > 0 ? static_cast<std::size_t>(came) : 0;
        for (std::size_t index = 0; index < used; ++index) {
            batch->vectors[index].iov_len = batch->headers[index].msg_len;
        }
        if (used > 0) raw_call(Call::send_datagrams, socket, batch->headers.data(), used, 0);
    }
}

}  // namespace

int main(int argc, char** argv) { serve(bench::open_as_told(argc, argv, SOCK_DGRAM).socket); }
