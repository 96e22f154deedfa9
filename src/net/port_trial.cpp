// SPDX-License-Identifier: MIT
//
// PortTrial: the options, and the filter.

#include "net/port_trial.hpp"

namespace berth::net {

using driver::SocketOption;

PortTrial::PortTrial(driver::System& system, const Endpoint& endpoint, bool joins)
    : system_(system), endpoint_(endpoint), joins_(joins), socket_(system.open_socket(endpoint)) {
    if (!socket_ || endpoint.is_unix()) return;
    if (endpoint.is_udp()) {
        // Without the filter it answers nobody either, but what comes meanwhile is lost quietly.
        static_cast<void>(system.drop_everything(*socket_));
    } else {
        static_cast<void>(system.set(*socket_, SocketOption::reuse_address, 1));
        if (joins) static_cast<void>(system.set(*socket_, SocketOption::reuse_port, 1));
    }
}

PortTrial::~PortTrial() {
    if (socket_) system_.close(*socket_);
}

base::Outcome<void> PortTrial::bind() {
    if (!socket_) return base::failed(socket_.errno_value());
    return system_.bind(*socket_, endpoint_);
}

base::Outcome<bool> PortTrial::listen_unseen() {
    if (endpoint_.is_unix() || endpoint_.is_udp() || joins_) return false;
    if (!system_.drop_everything(*socket_)) return false;
    const auto listening = system_.listen(*socket_, 1);
    if (!listening) return base::failed(listening.errno_value());
    return true;
}

}  // namespace berth::net
