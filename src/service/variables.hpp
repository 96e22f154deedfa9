// SPDX-License-Identifier: MIT
//
// Variables: what a service manager and an orchestrator say through the environment.
//
// A value, so that what is made of it can be tried with every text there is.
//
// Threads:   take() changes the environment: before other threads read it.
// See:       sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).

#pragma once

#include <cstdint>
#include <string>

namespace berth::service {

struct Variables {
    std::int64_t process = 0;  // who asks: variables may be meant for another
    // Empty: not set.
    std::string notify_socket;
    std::string watchdog_usec;
    std::string watchdog_pid;
    std::string listen_pid;
    std::string listen_fds;
    std::string listen_fdnames;
    bool is_kubernetes = false;
    bool is_successor = false;  // started by the generation before it

    // Reads them. Those that name this process are removed, so that no child takes them for its
    // own: LISTEN_*, and WATCHDOG_PID alone, because the next generation feeds the same watchdog.
    static Variables take(std::int64_t process);
};

}  // namespace berth::service
