// SPDX-License-Identifier: MIT
//
// RealSystem: a scene for tests of KernelSystem: real sockets, made and asked through it.
//
// Method: loopback with port 0, Unix paths in a fresh directory.

#pragma once

#include "driver/descriptor.hpp"
#include "driver/kernel_system.hpp"
#include "driver/system.hpp"
#include "os/calls.hpp"
#include "os/owned_descriptor.hpp"
#include "os/socket_address.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>

#include <string>

namespace berth::test {

using driver::Descriptor;
using os::OwnedDescriptor;

inline Descriptor of(const OwnedDescriptor& owned) { return Descriptor{owned.number()}; }

inline Endpoint parsed(const std::string& text) { return *Endpoint::parse(text); }

inline bool becomes_readable(int descriptor) {
    pollfd watched{.fd = descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, static_cast<int>(patience().count())) == 1;
}

class RealSystem : public testing::Test {
protected:
    OwnedDescriptor open(const Endpoint& endpoint) {
        return OwnedDescriptor{
            driver::number(system.open_socket(endpoint).value_or(Descriptor::none))};
    }
    OwnedDescriptor bound(const Endpoint& endpoint) {
        auto socket = open(endpoint);
        EXPECT_TRUE(system.bind(of(socket), endpoint)) << endpoint.to_string();
        return socket;
    }
    OwnedDescriptor listening(const Endpoint& endpoint) {
        auto socket = bound(endpoint);
        EXPECT_TRUE(system.listen(of(socket), 8));
        return socket;
    }
    Endpoint local(const OwnedDescriptor& socket, Scheme scheme) {
        return *system.local_endpoint(of(socket), scheme);
    }
    std::string port_of(const OwnedDescriptor& socket) {
        return std::to_string(local(socket, Scheme::tcp).port());
    }
    bool has_v6_loopback() {
        const auto endpoint = parsed("tcp6://[::1]:0");
        return bool{system.bind(of(open(endpoint)), endpoint)};
    }
    // A blocking client, connected when this returns. 0.0.0.0 and [::] lead to the loopback.
    static OwnedDescriptor connected_to(const Endpoint& endpoint) {
        OwnedDescriptor client{
            ::socket(os::socket_family(endpoint), SOCK_STREAM | SOCK_CLOEXEC, 0)};
        EXPECT_TRUE(os::connect(client.number(), *os::SocketAddress::of(endpoint)));
        return client;
    }
    OwnedDescriptor accepted(const OwnedDescriptor& listener) {
        EXPECT_TRUE(becomes_readable(listener.number()));
        const auto peer = system.accept(of(listener));
        EXPECT_TRUE(peer);
        return OwnedDescriptor{peer ? driver::number(peer->descriptor) : -1};
    }

    driver::System& system = driver::kernel_system();
    TempDir directory;
    std::string path = directory.file("a.sock");
    Endpoint at_path = {Scheme::unix_stream, path};
};

}  // namespace berth::test
