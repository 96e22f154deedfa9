// SPDX-License-Identifier: MIT
//
// System: a handful of calls, each in its simplest form.

#include "system.hpp"

#include <berth/clock.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): CPU clocks are POSIX, not C++
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>

namespace berth::app {

namespace {

volatile std::sig_atomic_t asked_to_stop = 0;  // all that a signal handler may touch

}  // namespace

bool was_given_sockets() {
    const char* const process = std::getenv("LISTEN_PID");
    return process != nullptr && process == std::to_string(::getpid());
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

std::optional<Duration> cpu_time_of(int process) {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
        return std::nullopt;
    }
    return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace berth::app
