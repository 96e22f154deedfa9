// SPDX-License-Identifier: MIT
//
// Notification: assignments, with values that cannot begin a line of their own.

#include "service/notification.hpp"

#include <berth/clock.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace berth::service {

namespace {

constexpr std::size_t kStoredNameMax = 255;  // FDNAME_MAX of sd_notify(3)

std::string microseconds(Duration duration) {
    return std::to_string(std::chrono::ceil<std::chrono::microseconds>(duration).count());
}

bool is_printable(char character) { return character >= ' ' && character <= '~'; }

}  // namespace

Notification& Notification::add(std::string_view variable, std::string_view value) {
    if (!text_.empty()) text_ += '\n';
    text_.append(variable).append("=");
    for (const char character : value) text_ += character == '\n' ? ' ' : character;
    return *this;
}

Notification& Notification::reloading(Instant now) {
    return add("RELOADING", "1").add("MONOTONIC_USEC", microseconds(now.since_epoch));
}

Notification& Notification::extend_timeout(Duration within) {
    return add("EXTEND_TIMEOUT_USEC", microseconds(within));
}

Notification& Notification::store(std::string_view name) {
    return add("FDSTORE", "1").add("FDNAME", stored_name(name)).add("FDPOLL", "0");
}

Notification& Notification::remove_stored(std::string_view name) {
    return add("FDSTOREREMOVE", "1").add("FDNAME", stored_name(name));
}

std::string stored_name(std::string_view text) {
    std::string name;
    for (const char character : text.substr(0, kStoredNameMax)) {
        name += is_printable(character) && character != ':' ? character : '_';
    }
    return name;
}

}  // namespace berth::service
