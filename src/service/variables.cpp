// SPDX-License-Identifier: MIT
//
// Variables: getenv(3) and unsetenv(3).

#include "service/variables.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace berth::service {

namespace {

std::string value_of(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// NOLINTNEXTLINE(misc-include-cleaner): unsetenv is POSIX, and in glibc's <cstdlib>.
void remove(const char* name) { ::unsetenv(name); }

}  // namespace

Variables Variables::take(std::int64_t process) {
    Variables found{.process = process,
                    .notify_socket = value_of("NOTIFY_SOCKET"),
                    .watchdog_usec = value_of("WATCHDOG_USEC"),
                    .watchdog_pid = value_of("WATCHDOG_PID"),
                    .listen_pid = value_of("LISTEN_PID"),
                    .listen_fds = value_of("LISTEN_FDS"),
                    .listen_fdnames = value_of("LISTEN_FDNAMES"),
                    .is_kubernetes = !value_of("KUBERNETES_SERVICE_HOST").empty(),
                    .is_successor = !value_of("BERTH_HANDOVER_FD").empty()};
    const std::string own = std::to_string(process);
    if (found.watchdog_pid == own) remove("WATCHDOG_PID");
    if (found.listen_pid == own) {
        for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) remove(name);
    }
    return found;
}

}  // namespace berth::service
