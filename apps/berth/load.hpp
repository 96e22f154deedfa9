// SPDX-License-Identifier: MIT
//
// `berth load`: a load generator that checks what it gets.
//
// Closed loop: every connection keeps `depth` requests in flight. Open loop (`rate`): requests
// are due at fixed instants, and a late one counts its wait as latency, so that a server that
// stalls cannot hide it (no coordinated omission).

#pragma once

#include "conversation.hpp"

#include <berth/clock.hpp>
#include <berth/destination.hpp>
#include <berth/endpoint.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace berth::app {

struct LoadSettings {
    // More requests in flight than this, in bytes, are a mistake and not a load.
    static constexpr std::size_t kInFlightMax = std::size_t{1} << 30U;
    static constexpr Duration kTick = std::chrono::milliseconds{10};  // a loop looks what is due
    static constexpr std::size_t kPacketMax = 16U << 20U;             // as Options::packet_max

    Destination to;
    std::size_t connections = 50;
    Conversation::Shape shape{.size = 64, .depth = 1};
    Duration warm_up{0};  // before it, and not counted
    Duration duration = std::chrono::seconds{10};
    std::optional<std::uint64_t> requests;  // of each connection, which then says goodbye
    std::optional<std::uint64_t> rate;      // requests per second, all connections together
    bool reconnect = false;                 // replace a connection that was lost
    bool allow_close = false;               // the server may close between two answers
    std::optional<int> cpu_of;              // the process whose CPU time is measured
    unsigned loops = 0;                     // as Options::loops
    Duration busy_poll{0};                  // as Options::busy_poll
    std::uint64_t seed = 1;
    bool json = false;

    // Of Unix packets: one is a request, and one its answer.
    bool is_over_packets() const { return to.endpoint().scheme() == Scheme::unix_packet; }
};

// The exit status of the program.
int load(const LoadSettings& settings);

}  // namespace berth::app
