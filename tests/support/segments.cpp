// SPDX-License-Identifier: MIT
//
// segments: TCP_INFO as the kernel's headers have it; those of libc end before this field.

#include "support/segments.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace berth::test {

std::uint32_t segments_received(int tcp_socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(tcp_socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
        throw std::system_error(errno, std::generic_category(), "getsockopt");
    }
    return info.tcpi_data_segs_in;
}

}  // namespace berth::test
