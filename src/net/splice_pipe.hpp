// SPDX-License-Identifier: MIT
//
// SplicePipe: the pipe through which a loop's relays move long streams (splice(2)).
//
// One for all of them, because nothing stays in it: connection_relay.cpp.
//
// Lifetime:  owns its descriptors; the system outlives it.
// Threads:   the loop's.

#pragma once

#include "driver/system.hpp"

namespace berth::net {

class SplicePipe {
public:
    // Without descriptors, or in a world without pipes, it stays shut.
    explicit SplicePipe(driver::System& system)
        : system_(system), ends_(system.open_pipe().value_or(driver::PipeEnds{})) {}
    SplicePipe(const SplicePipe&) = delete;
    SplicePipe& operator=(const SplicePipe&) = delete;
    ~SplicePipe() {
        if (!is_open()) return;
        system_.close(ends_.reader);
        system_.close(ends_.writer);
    }

    bool is_open() const { return driver::is_open(ends_.reader); }
    const driver::PipeEnds& ends() const { return ends_; }

private:
    driver::System& system_;
    driver::PipeEnds ends_;
};

}  // namespace berth::net
