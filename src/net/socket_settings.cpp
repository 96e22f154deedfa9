// SPDX-License-Identifier: MIT
//
// SocketSettings: the bounds that the kernel has, and its units.

#include "net/socket_settings.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace berth::net {

namespace {

using driver::SocketOption;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Of the kernel: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT (linux/tcp.h).
constexpr Duration kKeepAliveMax = seconds{32'767};
constexpr unsigned kProbesMax = 127;
constexpr std::size_t kBufferMax = std::size_t{1} << 30U;  // the kernel doubles it, in an int

int clipped(std::size_t value) {
    constexpr std::size_t kMax = std::numeric_limits<int>::max();
    return static_cast<int>(std::min(value, kMax));
}

int in_seconds(Duration duration) {
    return static_cast<int>(std::chrono::duration_cast<seconds>(duration).count());
}

}  // namespace

bool SocketSetting::is_general() const {
    return option == SocketOption::receive_buffer || option == SocketOption::send_buffer;
}

// ── Checks ───────────────────────────────────────────────────────────────────────────────────

Error SettingsCheck::bad(const char* name, const char* why, const char* remedy) const {
    return Error(ErrorCode::invalid_option, operation_)
        .because(where_ + name + " " + why)
        .fix(remedy);
}

Result<void> SettingsCheck::seconds(const char* name, Duration duration) const {
    const bool is_whole = duration % std::chrono::seconds{1} == Duration::zero();
    if (is_whole && duration >= Duration::zero() && duration <= kKeepAliveMax) return {};
    return fail(bad(name, "is not a whole number of seconds up to 32767",
                    "the kernel counts seconds: take one or more, or 0 for its default"));
}

Result<void> SettingsCheck::keepalive(const KeepAlive& keepalive) const {
    if (auto done = seconds("keepalive_idle", keepalive.idle); !done) return done;
    if (auto done = seconds("keepalive_interval", keepalive.interval); !done) return done;
    if (keepalive.count > kProbesMax) {
        return fail(bad("keepalive_count", "is above 127", "take fewer, at a longer interval"));
    }
    const bool is_off = keepalive.idle == Duration::zero();
    if (!is_off || (keepalive.interval == Duration::zero() && keepalive.count == 0)) return {};
    return fail(bad("keepalive_idle", "is 0, and there are no probes to time or count",
                    "set keepalive_idle, or leave the interval and the count at 0"));
}

Result<void> SettingsCheck::user_timeout(Duration timeout) const {
    const milliseconds most{std::numeric_limits<int>::max()};
    const bool is_short = timeout > Duration::zero() && timeout < milliseconds{1};
    if (timeout >= Duration::zero() && timeout <= most && !is_short) return {};
    return fail(bad("user_timeout", "is not between 1 ms and 24 days",
                    "the kernel counts milliseconds; 0 leaves it to the kernel"));
}

Result<void> SettingsCheck::buffer(const char* name, std::size_t bytes) const {
    if (bytes <= kBufferMax) return {};
    return fail(bad(name, "is above 1 GiB", "0 lets the kernel size it as it is used"));
}

Result<void> SettingsCheck::all(const Options& options) const {
    auto done = keepalive({.idle = options.keepalive_idle,
                           .interval = options.keepalive_interval,
                           .count = options.keepalive_count});
    if (done) done = user_timeout(options.user_timeout);
    if (done) done = buffer("receive_buffer", options.receive_buffer);
    if (done) done = buffer("send_buffer", options.send_buffer);
    return done;
}

// ── Settings ─────────────────────────────────────────────────────────────────────────────────

// How often and how many before whether: no probe is sent by other rules.
SocketSettings settings_of(const KeepAlive& keepalive) {
    SocketSettings settings;
    if (keepalive.idle > Duration::zero()) {
        settings.push_back({SocketOption::keep_idle, in_seconds(keepalive.idle)});
        if (keepalive.interval > Duration::zero()) {
            settings.push_back({SocketOption::keep_interval, in_seconds(keepalive.interval)});
        }
        if (keepalive.count > 0) {
            settings.push_back({SocketOption::keep_count, static_cast<int>(keepalive.count)});
        }
    }
    settings.push_back({SocketOption::keep_alive, keepalive.idle > Duration::zero() ? 1 : 0});
    return settings;
}

SocketSetting user_timeout_setting(Duration timeout) {
    const auto count = std::chrono::ceil<milliseconds>(timeout).count();
    return {SocketOption::user_timeout, static_cast<int>(count)};
}

SocketSettings settings_of(const Options& options) {
    SocketSettings settings;
    if (options.keepalive_idle > Duration::zero()) {
        settings = settings_of(KeepAlive{.idle = options.keepalive_idle,
                                         .interval = options.keepalive_interval,
                                         .count = options.keepalive_count});
    }
    if (options.no_delay) settings.push_back({SocketOption::no_delay, 1});
    if (options.not_sent_max > 0) {
        settings.push_back({SocketOption::not_sent_low, clipped(options.not_sent_max)});
    }
    if (options.user_timeout > Duration::zero()) {
        settings.push_back(user_timeout_setting(options.user_timeout));
    }
    if (options.receive_buffer > 0) {
        settings.push_back({SocketOption::receive_buffer, clipped(options.receive_buffer)});
    }
    if (options.send_buffer > 0) {
        settings.push_back({SocketOption::send_buffer, clipped(options.send_buffer)});
    }
    return settings;
}

}  // namespace berth::net
