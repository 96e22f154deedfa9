// SPDX-License-Identifier: MIT
//
// KernelScene: a simulated kernel with one process, and the few steps most of its tests begin
// with.
//
// Lifetime:  one per test.

#pragma once

#include "driver/descriptor.hpp"
#include "driver/sim/kernel.hpp"
#include "driver/sim/process.hpp"
#include "driver/system.hpp"

#include <berth/bytes.hpp>
#include <berth/endpoint.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth::driver::sim {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;

// As poll(2) names it.
inline std::string text(const Readiness& is) {
    std::string names;
    const auto add = [&](bool said, std::string_view name) {
        if (!said) return;
        if (!names.empty()) names += ' ';
        names += name;
    };
    add(is.readable, "in");
    add(is.writable, "out");
    add(is.failed, "err");
    add(is.hung_up, "hup");
    add(is.peer_ended, "rdhup");
    return names;
}

inline Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }

// 127.0.0.<last>.
inline Endpoint loopback(std::uint16_t port, std::uint8_t last = 1) {
    return {Scheme::tcp, IpEndpoint{.address = {127, 0, 0, last}, .port = port, .family = 4}};
}

struct Connection {
    Descriptor client;
    Descriptor server;
};

class KernelScene {
public:
    explicit KernelScene(const Weather& weather = {}, std::uint64_t seed = 7)
        : kernel{seed, weather} {}

    Descriptor tcp(Family family = Family::v4) {
        return process.socket(family, Kind::stream).value();
    }
    Descriptor udp() { return process.socket(Family::v4, Kind::datagram).value(); }
    Descriptor local() { return process.socket(Family::local, Kind::stream).value(); }

    int bind(Descriptor socket, std::string_view to) {
        return process.bind(socket, endpoint(to)).errno_value();
    }
    Descriptor listener(std::string_view at = "tcp4://127.0.0.1:0", int backlog = 8) {
        const Endpoint place = endpoint(at);
        const Family family = place.is_unix()          ? Family::local
                              : place.ip().family == 6 ? Family::v6
                                                       : Family::v4;
        const Descriptor socket = process.socket(family, Kind::stream).value();
        EXPECT_EQ(process.bind(socket, place).errno_value(), 0);
        EXPECT_EQ(process.listen(socket, backlog).errno_value(), 0);
        return socket;
    }
    Endpoint where(Descriptor socket) {
        return process.local_endpoint(socket, Scheme::tcp).value();
    }
    // The errno of connect(2).
    int connect(Descriptor socket, const Endpoint& to) {
        return process.connect(socket, to).errno_value();
    }
    Descriptor client_of(Descriptor listener) {
        const Descriptor client = tcp();
        EXPECT_EQ(connect(client, where(listener)), EINPROGRESS);
        return client;
    }
    Descriptor accept(Descriptor listener) { return process.accept(listener).value().descriptor; }
    Connection connection(Descriptor listener) {
        const Descriptor client = client_of(listener);
        return {client, accept(listener)};
    }
    Connection connection() { return connection(listener()); }

    int send(Descriptor socket, std::string_view bytes) {
        return process.send(socket, as_bytes(bytes)).errno_value();
    }
    // What receive gave: the bytes, "" at the end, or the errno as "E<number>".
    std::string receive(Descriptor socket, std::size_t size_max = 64) {
        std::string bytes(size_max, '\0');
        const auto got = process.receive(socket, std::as_writable_bytes(std::span{bytes}));
        if (!got) return error(got.errno_value());
        bytes.resize(*got);
        return bytes;
    }
    static std::string error(int errno_value) { return "E" + std::to_string(errno_value); }

    std::string poll(Descriptor socket) const { return text(process.readiness(socket)); }
    int set(Descriptor socket, SocketOption option, int value) {
        return process.set(socket, option, value).errno_value();
    }
    int shutdown(Descriptor socket, Shut what) {
        return process.shutdown(socket, what).errno_value();
    }
    // RST instead of FIN.
    void reset(Descriptor socket) {
        EXPECT_EQ(set(socket, SocketOption::linger_reset, 0), 0);
        process.close(socket);
    }
    std::size_t unacknowledged(Descriptor socket) { return process.unacknowledged(socket).value(); }
    void pass(Duration time) { kernel.advance(kernel.now() + time); }

    Kernel kernel;
    Process process{kernel};
};

}  // namespace berth::driver::sim
