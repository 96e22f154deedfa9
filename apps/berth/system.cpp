// SPDX-License-Identifier: MIT
//
// System: a handful of calls, each in its simplest form.

#include "system.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace berth::app {

namespace {

volatile std::sig_atomic_t asked_to_stop = 0;  // all that a signal handler may touch

}  // namespace

void notify_service_manager(std::string_view state) {
    const char* const variable = std::getenv("NOTIFY_SOCKET");
    const std::string_view name = variable == nullptr ? "" : variable;
    sockaddr_un address{};
    if (name.size() < 2 || name.size() >= sizeof(address.sun_path)) return;

    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    // An abstract name begins with a NUL, which people write as '@' (unix(7)).
    if (name.front() == '@') address.sun_path[0] = '\0';

    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return;
    // Best effort, as in sd_notify(3): a service manager that went away is not our failure.
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address), length));
    ::close(socket);
}

bool is_open_descriptor(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

void write_newline(int descriptor) {
    // Whoever waits for the newline and went away does not need it.
    [[maybe_unused]] const auto written = ::write(descriptor, "\n", 1);
}

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

void remember_stop_signals() {
    for (const int number : {SIGTERM, SIGINT}) {
        std::signal(number, [](int) { asked_to_stop = 1; });
    }
}

bool was_asked_to_stop() { return asked_to_stop != 0; }

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    // Where the hard limit is absurd, tables sized by it would be too.
    constexpr rlim_t kEnough = 1U << 20U;
    limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnough));
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace berth::app
