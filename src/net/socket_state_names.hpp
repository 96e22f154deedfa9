// SPDX-License-Identifier: MIT
//
// The names of socket states, as the kernel's headers and proc(5) spell them.

#pragma once

#include "driver/socket_rows.hpp"

#include <string_view>

namespace berth::net {

// Of UDP, what TCP calls closed is a socket that is open to everybody; ss(8) says UNCONN.
constexpr std::string_view state_name(driver::SocketState state, bool is_udp) {
    using driver::SocketState;
    switch (state) {
        case SocketState::established: return "ESTABLISHED";
        case SocketState::syn_sent: return "SYN_SENT";
        case SocketState::syn_received:
        case SocketState::new_syn_received: return "SYN_RECV";
        case SocketState::fin_wait1: return "FIN_WAIT1";
        case SocketState::fin_wait2: return "FIN_WAIT2";
        case SocketState::time_wait: return "TIME_WAIT";
        case SocketState::closed: return is_udp ? "UNCONN" : "CLOSE";
        case SocketState::close_wait: return "CLOSE_WAIT";
        case SocketState::last_ack: return "LAST_ACK";
        case SocketState::listening: return "LISTEN";
        case SocketState::closing: return "CLOSING";
        case SocketState::bound_inactive: return "BOUND_INACTIVE";
    }
    return "UNKNOWN";
}

}  // namespace berth::net
