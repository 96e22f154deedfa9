// SPDX-License-Identifier: MIT
//
// SocketSettings: what users may set on the socket of a connection, checked before the kernel sees
// it, because its errors name neither the option nor the remedy.
//
// Listeners get the settings of Options too: who is accepted inherits them.
//
// Lifetime:  values.
// Errors:    invalid_option, with the name of the field and what it may be.

#pragma once

#include "driver/system.hpp"

#include <berth/clock.hpp>
#include <berth/options.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace berth::net {

struct SocketSetting {
    driver::SocketOption option;
    int value;

    // Does a Unix socket have it too?
    bool is_general() const;
};

using SocketSettings = std::vector<SocketSetting>;

struct KeepAlive {
    Duration idle{0};  // 0: none
    Duration interval{0};
    unsigned count = 0;
};

// `where` stands before the names of fields: "Options::", or nothing.
class SettingsCheck {
public:
    SettingsCheck(const char* operation, std::string where)
        : operation_(operation), where_(std::move(where)) {}

    Result<void> keepalive(const KeepAlive& keepalive) const;
    Result<void> user_timeout(Duration timeout) const;
    Result<void> buffer(const char* name, std::size_t bytes) const;
    Result<void> all(const Options& options) const;

private:
    Result<void> seconds(const char* name, Duration duration) const;
    Error bad(const char* name, const char* why, const char* remedy) const;

    const char* operation_;
    std::string where_;
};

SocketSettings settings_of(const KeepAlive& keepalive);
SocketSetting user_timeout_setting(Duration timeout);
// Of values that were checked.
SocketSettings settings_of(const Options& options);

}  // namespace berth::net
