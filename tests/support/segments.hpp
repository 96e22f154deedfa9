// SPDX-License-Identifier: MIT
//
// segments: how many segments with data have reached a TCP socket.
//
// On loopback, without Nagle's algorithm, each call that sends makes one at once, of up to 64 KiB,
// as long as fewer are on their way than the congestion window allows (10 at first): this is the
// kernel's own count of the calls that the other side made, whichever they were. Of many calls it
// may join some, and never splits one.
//
// See:       tcp(7), TCP_INFO.

#pragma once

#include <cstdint>

namespace berth::test {

std::uint32_t segments_received(int tcp_socket);

}  // namespace berth::test
