// SPDX-License-Identifier: MIT
//
// Unanswered: an address of loopback at which no handshake is ever completed.

#pragma once

#include "support/raw_socket.hpp"

#include <berth/endpoint.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <vector>

namespace berth::test {

// Whose accept queue is full: it answers no further handshake.
class Unanswered {
public:
    Unanswered() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        socket_ = OwnedDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ::bind(socket_.number(), any, length);
        ::listen(socket_.number(), 0);
        ::getsockname(socket_.number(), any, &length);
        endpoint_ = Endpoint(
            Scheme::tcp,
            IpEndpoint{.address = {127, 0, 0, 1}, .port = ntohs(address.sin_port), .family = 4});
        waiting_.push_back(RawPeer::connect(endpoint_));  // a queue of 0 holds one
    }
    const Endpoint& endpoint() const { return endpoint_; }

private:
    OwnedDescriptor socket_;
    Endpoint endpoint_;
    std::vector<RawPeer> waiting_;
};

}  // namespace berth::test
