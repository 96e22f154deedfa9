// SPDX-License-Identifier: MIT
//
// Entrance: what those who accept on an address have to know of it.
//
// A listening socket whose newcomers are held back leaves the means to who is accepted meanwhile,
// and one of them makes deaf: acceptors free each accepted socket of it. And the queue may be
// another's too: then it is left alone.
//
// Lifetime:  part of its Listening; outlives the acceptors.
// Threads:   any; bar() and share() by the coordinator's.

#pragma once

#include "driver/system.hpp"

#include <atomic>
#include <cstdint>

namespace berth::net {

class Entrance {
public:
    // What holds newcomers back.
    enum class Bar : std::uint8_t { none, syn_filter, ttl };

    // Before the kernel is told, so that nobody who has inherited it is overlooked.
    void bar(Bar bar) { bar_.store(bar); }
    void free(driver::System& system, driver::Descriptor accepted) const {
        switch (bar_.load(std::memory_order_relaxed)) {
            case Bar::none: return;
            case Bar::syn_filter: return static_cast<void>(system.remove_filter(accepted));
            case Bar::ttl: return static_cast<void>(system.require_ttl(accepted, 0));
        }
    }

    // With a service manager, or with another generation of this server.
    void share(bool is_shared) { is_shared_.store(is_shared); }
    bool is_shared() const { return is_shared_.load(); }

private:
    std::atomic<Bar> bar_{Bar::none};
    std::atomic<bool> is_shared_{false};
};

}  // namespace berth::net
