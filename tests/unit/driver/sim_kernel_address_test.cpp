// SPDX-License-Identifier: MIT
//
// SimAddress: the corners of two families on one host. Each was seen on Linux 6.18.

#include "driver/sim/place.hpp"
#include "driver/system.hpp"
#include "unit/driver/sim_kernel_scene.hpp"

#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace berth::driver::sim {
namespace {

Endpoint with_port(std::string_view host, std::uint16_t port) {
    return endpoint("tcp://" + std::string{host} + ":" + std::to_string(port));
}

// ::ffff:127.0.0.1; endpoints that are parsed never have this form.
Endpoint mapped(std::uint16_t port) { return {Scheme::tcp, as_mapped(loopback(port).ip())}; }

int bind_v4_wildcard(KernelScene& scene, std::uint16_t port) {
    return scene.process.bind(scene.tcp(), with_port("0.0.0.0", port)).errno_value();
}

TEST(SimAddress, ChosenPortIsOneThatNoProtocolHas) {
    KernelScene scene;
    std::set<std::uint16_t> ports;
    for (int count = 0; count < 20; ++count) {
        const auto udp = scene.udp();
        EXPECT_EQ(scene.bind(udp, "udp4://127.0.0.1:0"), 0);
        ports.insert(scene.where(udp).port());
        ports.insert(scene.where(scene.listener()).port());
        ports.insert(scene.where(scene.listener("tcp6://[::1]:0")).port());
    }
    EXPECT_EQ(ports.size(), 60U);
}

TEST(SimAddress, MappedSourceReachesNoTrueV6AddressNorTheOtherWayRound) {
    KernelScene scene;
    const auto v4 = scene.tcp(Family::v6);
    EXPECT_EQ(scene.process.bind(v4, mapped(0)).errno_value(), 0);
    EXPECT_EQ(scene.connect(v4, with_port("[::1]", 9)), EAFNOSUPPORT);
    const auto v6 = scene.tcp(Family::v6);
    EXPECT_EQ(scene.bind(v6, "tcp://[::1]:0"), 0);
    EXPECT_EQ(scene.connect(v6, mapped(9)), ENETUNREACH);
}

TEST(SimAddress, WildcardAsDestinationMeansTheSourceOrLoopback) {
    KernelScene scene;
    const auto port = scene.where(scene.listener("tcp4://127.0.0.2:0")).port();
    const auto bound = scene.tcp();
    EXPECT_EQ(scene.bind(bound, "tcp4://127.0.0.2:0"), 0);
    EXPECT_EQ(scene.connect(bound, with_port("0.0.0.0", port)), EINPROGRESS);
    EXPECT_EQ(scene.poll(bound), "out");
    const auto free = scene.tcp();
    EXPECT_EQ(scene.connect(free, with_port("0.0.0.0", port)), EINPROGRESS);
    EXPECT_EQ(scene.process.take_error(free), ECONNREFUSED);
}

TEST(SimAddress, DualStackConnectionIsInTheWayOfTheV4Wildcard) {
    KernelScene scene;
    const auto listener = scene.listener("tcp://[::1]:0");
    const auto client = scene.tcp(Family::v6);
    EXPECT_EQ(scene.connect(client, scene.where(listener)), EINPROGRESS);
    EXPECT_EQ(bind_v4_wildcard(scene, scene.where(client).port()), EADDRINUSE);
    EXPECT_EQ(bind_v4_wildcard(scene, scene.where(listener).port()), 0);  // bound by name: v6 only
}

TEST(SimAddress, UdpTakesPlainV4ForMappedAndTcpDoesNot) {
    KernelScene scene;
    const auto receiver = scene.udp();
    EXPECT_EQ(scene.bind(receiver, "udp4://127.0.0.1:0"), 0);
    const auto v6 = scene.process.socket(Family::v6, Kind::datagram).value();
    EXPECT_EQ(scene.connect(v6, scene.where(receiver)), 0);
    EXPECT_EQ(scene.send(v6, "x"), 0);
    EXPECT_EQ(scene.receive(receiver), "x");
    EXPECT_EQ(scene.connect(scene.tcp(Family::v6), scene.where(receiver)), EINVAL);
}

TEST(SimAddress, UdpChoosesAPortEvenForWhatItDoesNotSend) {
    KernelScene scene;
    const auto socket = scene.udp();
    EXPECT_EQ(scene.send(socket, "x"), EDESTADDRREQ);
    EXPECT_NE(scene.where(socket).port(), 0);
    EXPECT_EQ(scene.bind(socket, "udp4://127.0.0.1:0"), EINVAL);
}

TEST(SimAddress, FailedBindForgetsTheAddressAndNotThePort) {
    KernelScene scene;
    const auto taken = scene.where(scene.listener("tcp4://0.0.0.0:0"));
    const auto socket = scene.tcp();
    EXPECT_EQ(scene.connect(socket, with_port("127.0.0.1", 9)), EINPROGRESS);
    const auto port = scene.where(socket).port();
    EXPECT_EQ(scene.process.bind(socket, taken).errno_value(), EADDRINUSE);
    EXPECT_EQ(scene.where(socket), with_port("0.0.0.0", port));
}

TEST(SimAddress, SecondBindOfAUnixSocketLooksAtTheFileFirst) {
    KernelScene scene;
    const auto socket = scene.listener("unix:///run/a.sock");
    EXPECT_EQ(scene.bind(socket, "unix:///run/a.sock"), EADDRINUSE);
    EXPECT_EQ(scene.bind(socket, "unix:///run/b.sock"), EINVAL);
    EXPECT_EQ(scene.bind(socket, "unix:@b"), EINVAL);
    EXPECT_EQ(scene.connect(scene.local(), endpoint("unix:///run/a.sock")), 0);
    EXPECT_EQ(scene.bind(scene.accept(socket), "unix:///run/b.sock"), EINVAL);
}

TEST(SimAddress, AfterItsOwnShutdownAReaderOpensNoWindow) {
    KernelScene scene;
    scene.kernel.size_tcp_buffers(2000, 4000);
    const auto [client, server] = scene.connection();
    EXPECT_EQ(scene.send(client, std::string(3000, 'x')), 0);
    EXPECT_EQ(scene.shutdown(server, Shut::both), 0);
    EXPECT_EQ(scene.receive(server, 5000).size(), 1000U);
    EXPECT_EQ(scene.receive(server), "");
    EXPECT_EQ(scene.poll(server), "in out hup rdhup");
}

}  // namespace
}  // namespace berth::driver::sim
