// SPDX-License-Identifier: MIT
//
// Notification: one message to a service manager: assignments, a line each.
//
// Lifetime:  a value.
// See:       sd_notify(3).

#pragma once

#include <berth/clock.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::service {

class Notification {
public:
    Notification& ready() { return add("READY", "1"); }
    // `now` is CLOCK_MONOTONIC: without it, `systemctl reload` of a notify-reload unit hangs.
    Notification& reloading(Instant now);
    Notification& stopping() { return add("STOPPING", "1"); }
    Notification& watchdog() { return add("WATCHDOG", "1"); }
    Notification& status(std::string_view text) { return add("STATUS", text); }
    Notification& main_process(std::int64_t id) { return add("MAINPID", std::to_string(id)); }
    // The next message comes within so long.
    Notification& extend_timeout(Duration within);
    // The attached descriptors are kept under this name; FDPOLL=0: also once they report an end.
    Notification& store(std::string_view name);
    // What is kept under this name is closed.
    Notification& remove_stored(std::string_view name);

    const std::string& text() const { return text_; }

private:
    Notification& add(std::string_view variable, std::string_view value);

    std::string text_;
};

// The longest text that a service manager takes for FDNAME=, without what it may not contain.
std::string stored_name(std::string_view text);

}  // namespace berth::service
