// SPDX-License-Identifier: MIT
//
// DatagramOptions: what may differ from one udp:// listener to the next: sessions, groups, and what
// the socket may do.
//
//     berth::run(handler, "udp://:7000", {.datagrams = {.sessions = true}});
//     engine.add_listener("udp4://:5353", {.groups = {{"224.0.0.251", "eth0"}}});
//
// Lifetime:  copied.
// Errors:    a value out of range is invalid_option with the name of the field, where the listener
//            is opened; so is a group that it could not hear.
// See:       udp(7), ip(7), ipv6(7); docs/guides/datagrams.md.

#pragma once

#include <berth/clock.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace berth {

// A multicast group, heard by one interface.
struct MulticastGroup {
    std::string address;      // "239.1.2.3", "ff02::3"
    std::string interface{};  // its name or index; empty: the kernel chooses, by its routes
};

struct DatagramOptions {
    // ── Sessions ─────────────────────────────────────────────────────────────────────────────
    // Each peer is a Connection from its first datagram on (on_open, on_traffic, on_close); without
    // this, each datagram goes to on_datagram.
    bool sessions = false;
    // Nothing received and nothing sent: it closes with idle_timeout. In place of
    // Options::idle_timeout; 0: never, and then only sessions_max bounds what peers can leave here.
    Duration session_idle = std::chrono::seconds{60};
    // Of the listener, on all loops. Datagrams of who comes on top are dropped and counted.
    std::size_t sessions_max = 65'536;

    // ── To many ──────────────────────────────────────────────────────────────────────────────
    // Joined when the listener opens. It must listen on every address, or on the group itself,
    // which is joined anyway.
    std::vector<MulticastGroup> groups{};
    std::string multicast_interface{};  // by which multicast leaves; empty: the kernel chooses
    bool multicast_loop = true;         // what is sent to a group is heard on this machine, too
    int multicast_hops = 1;             // routers that it may cross, and one: 0 to 255
    bool broadcast = false;             // may send to broadcast addresses: SO_BROADCAST, socket(7)

    // ── Offloads, where the kernel has them ──────────────────────────────────────────────────
    bool gso = true;   // equal datagrams to one peer leave as one: UDP_SEGMENT, udp(7)
    bool gro = false;  // those of one peer may come as one: UDP_GRO. The loop holds 64 KiB for each
};

}  // namespace berth
