// SPDX-License-Identifier: MIT
//
// PortDiagnosis: what a bind of an address would get, and who is in the way.
//
// Made by Engine::diagnose, by a failed start (Error::port) and by the verification at the end of
// a stop; printed by `berth port`. Nothing is started for it, and no client can meet it: no
// handshake is ever completed.
//
// A cause is `proven` when the kernel's tables leave no other explanation, `likely` otherwise;
// then `evidence` names the alternative.
//
// Lifetime:  a value.
// Threads:   no shared state.
// See:       sock_diag(7), proc(5); docs/reference/port-causes.md.

#pragma once

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/export.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

// Names in text and JSON are CamelCase: LiveListener.
enum class PortCause : std::uint8_t {
    none,                  // free
    live_listener,         // a server listens there
    same_process,          // one of this process does
    inherited_by_child,    // a child kept a copy of our listener
    dying_process,         // the kernel is still taking a dead process apart; free in milliseconds
    bound_not_listening,   // bound by somebody who does not listen, or not yet
    leftover_no_reuse,     // TIME_WAIT and the like, of a server without SO_REUSEADDR
    leftover_connections,  // connections of an old server that still has them
    ephemeral_collision,   // an outgoing connection took it as its source port
    self_connect,          // a connection to itself, by probing with connect(2)
    uid_mismatch,          // shared by SO_REUSEPORT, with another user
    overlap,               // a wildcard or dual-stack address includes it
    holder_hidden,         // somebody whom this user may not see
    systemd_socket,        // a socket unit holds it for its service
    stale_unix_path,       // a socket file with nobody behind it
    path_conflict,         // something that is not a socket is at the path
    unknown,               // nothing to be seen
};

BERTH_EXPORT std::string_view to_string(PortCause cause);

enum class Certainty : std::uint8_t { proven, likely };

BERTH_EXPORT std::string_view to_string(Certainty certainty);

struct PortHolder {
    std::int64_t pid = 0;
    std::string command;     // of /proc/PID/comm
    std::string executable;  // the path, if it may be read
    std::uint32_t uid = 0;
    std::string user;  // its name; empty: it has none
    int fd = -1;
    std::uint64_t inode = 0;
    std::optional<std::chrono::system_clock::time_point> since;  // when the process was started
};

struct PortStateCount {
    std::string_view state;  // LISTEN, TIME_WAIT, …, as ss(8) and proc(5) name them
    std::uint64_t count = 0;
    Duration timer_max{};  // the longest time that one of them has left
};

struct BERTH_EXPORT PortDiagnosis {
    Endpoint endpoint;
    bool is_free = true;
    PortCause cause = PortCause::none;
    Certainty certainty = Certainty::proven;
    int errno_value = 0;  // what bind(2) or listen(2) said
    std::vector<PortHolder> holders;
    std::vector<PortStateCount> states;
    std::string evidence;  // one sentence
    std::string remedy;    // what to do, as commands where there are any
    // Whether trying again helps: never, or after this long.
    std::optional<Duration> retry_after;

    std::string to_string() const;  // a paragraph for people
    std::string to_json() const;    // cli.md's format
};

}  // namespace berth
