// SPDX-License-Identifier: MIT
//
// DirectoryLock: one berth process at a time changes the sockets of a directory.
//
// Lifetime:  locked as long as the object lives.
// Errors:    take() fails with EWOULDBLOCK when another held it for longer than any of us does.
// See:       flock(2).

#pragma once

#include "driver/system.hpp"

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

namespace berth::net {

class DirectoryLock {
public:
    // Of the directory that `path` is in.
    static base::Outcome<DirectoryLock> take(driver::System& system, const std::string& path) {
        const Instant deadline = system.now() + kPatience;
        for (;;) {
            const auto held = system.lock_directory_of(path);
            if (held) return DirectoryLock(system, *held);
            const bool is_busy = held.errno_value() == EWOULDBLOCK;
            if (!is_busy || system.now() >= deadline) return base::failed(held.errno_value());
            system.let_others_run();
        }
    }
    DirectoryLock(DirectoryLock&& other) noexcept
        : system_(other.system_), held_(std::exchange(other.held_, driver::Descriptor::none)) {}
    DirectoryLock& operator=(DirectoryLock&&) = delete;
    ~DirectoryLock() {
        if (driver::is_open(held_)) system_.close(held_);
    }

private:
    // Held for microseconds by others; whoever holds it for longer is not one of us.
    static constexpr Duration kPatience = std::chrono::milliseconds{100};

    DirectoryLock(driver::System& system, driver::Descriptor held) : system_(system), held_(held) {}

    driver::System& system_;
    driver::Descriptor held_;
};

}  // namespace berth::net
