// SPDX-License-Identifier: MIT
//
// Step: one call of a sequence, with everything symbolic that two machines may number differently.
//
// Sockets are slots: s0, s1, … in the order of the sequence; a slot is filled once and never used
// again. A port is "that of s3"; a path is "path 1". Dropping any step of a sequence leaves a
// sequence: a step about an empty slot does nothing.
//
// Lifetime:  a value.

#pragma once

#include "differential/machine.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace berth::differential {

enum class Call : std::uint8_t {
    socket,
    set,
    bind,
    listen,
    connect,
    accept,
    send,
    fill,  // send until it would block
    receive,
    drain,  // receive until it would block, ended or failed
    send_to,
    receive_from,
    shutdown,
    close,
    take_error,
    local_endpoint,
    peer_endpoint,
    unacknowledged,
    never_sent,
    inspect,
    path_has_owner,
    unlink,
};

inline constexpr int kNoSlot = -1;

enum class Host : std::uint8_t {
    any_v4,
    loopback_v4,
    second_v4,   // 127.0.0.2
    foreign_v4,  // 192.0.2.1, RFC 5737: nobody's
    any_v6,
    loopback_v6,
    any_mapped,
    loopback_mapped,
    path,
    abstract_name,
};

struct Place {
    Host host = Host::loopback_v4;
    int port_of = kNoSlot;  // none: port 0
    int name = 0;           // which path or abstract name
};

struct Step {
    Call call = Call::socket;
    int slot = kNoSlot;
    int made = kNoSlot;  // of socket and accept: the slot that they fill
    Family family = Family::v4;
    Kind kind = Kind::stream;
    SocketOption option = SocketOption::reuse_address;
    int value = 0;  // of an option; a backlog; bytes
    Shut what = Shut::both;
    Place place{};
};

using Script = std::vector<Step>;

// One that changes nothing, and may be asked again.
constexpr bool is_question(Call call) {
    return call >= Call::local_endpoint && call <= Call::path_has_owner;
}
constexpr bool is_v6(Host host) { return host >= Host::any_v6 && host <= Host::loopback_mapped; }
constexpr bool is_local(Host host) { return host >= Host::path; }

// The system call's or the request's: "bind", "SO_ERROR".
std::string name_of(Call call);
// "bind(s0, 127.0.0.1:0)"
std::string text_of(const Step& step);
// "s3"; "?" for no slot.
std::string name_of_slot(int slot);

}  // namespace berth::differential
