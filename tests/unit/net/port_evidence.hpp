// SPDX-License-Identifier: MIT
//
// Evidence made by hand: rows and holders as the kernel would tell them, for the tests of the
// decision.

#pragma once

#include "net/port_diagnosis_decision.hpp"

#include <berth/endpoint.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::net::scripted {

inline constexpr std::uint16_t kPort = 8080;  // outside of the ephemeral range
inline constexpr std::int64_t kUs = 100;      // our pid
inline constexpr std::int64_t kChild = 101;
inline constexpr std::int64_t kOther = 4711;
inline constexpr std::uint32_t kOurUser = 1000;
inline constexpr std::uint32_t kOtherUser = 33;

inline IpEndpoint ip(std::string_view text, std::uint16_t port) {
    IpEndpoint parsed = Endpoint::parse("tcp://" + std::string(text) + ":1").value().ip();
    parsed.port = port;
    return parsed;
}

inline Endpoint tcp(std::string_view text, std::uint16_t port = kPort) {
    return {Scheme::tcp, ip(text, port)};
}

inline driver::SocketRow row(driver::SocketState state, std::string_view local,
                             std::uint64_t inode) {
    return {.state = state,
            .local = ip(local, kPort),
            .peer = {},
            .uid = kOurUser,
            .inode = inode,
            .timer = {}};
}

inline driver::SocketRow connection(driver::SocketState state, std::uint64_t inode,
                                    std::uint16_t peer_port = 50'000) {
    driver::SocketRow made = row(state, "127.0.0.1", inode);
    made.peer = ip("127.0.0.1", peer_port);
    return made;
}

inline driver::SocketHolder holder(std::int64_t pid, std::uint64_t inode,
                                   std::string command = "server") {
    return {.pid = pid,
            .parent = pid == kChild ? kUs : 1,
            .fd = 3,
            .inode = inode,
            .uid = kOurUser,
            .command = std::move(command),
            .executable = {},
            .since = {}};
}

// A refused bind; the rest is the test's.
inline PortEvidence refused(const Endpoint& endpoint) {
    PortEvidence evidence;
    evidence.endpoint = endpoint;
    evidence.bind_errno = EADDRINUSE;
    evidence.rows.emplace();
    evidence.sees_bound = true;
    evidence.process_id = kUs;
    evidence.user_id = kOurUser;
    return evidence;
}

}  // namespace berth::net::scripted
