// SPDX-License-Identifier: MIT
//
// ProxyService: each client is joined with a connection of its own to one backend.
//
// Bytes go both ways untouched, and no faster than they are taken; an end is carried on. A client
// whose backend cannot be reached, or fails, is reset: an orderly end would look like an answer.
//
// Threads:   as EventHandler.

#pragma once

#include "announcer.hpp"

#include <berth/buffer.hpp>
#include <berth/clock.hpp>
#include <berth/connection.hpp>
#include <berth/destination.hpp>
#include <berth/handler.hpp>

#include <chrono>
#include <optional>

namespace berth::app {

struct ProxySettings {
    std::optional<Destination> to;
    Duration dial_timeout = std::chrono::seconds{10};
};

class ProxyService final : public Announcer {
public:
    // `settings.to` is there.
    ProxyService(std::optional<int> ready_fd, const ProxySettings& settings)
        : Announcer(ready_fd), backend_(*settings.to), dial_timeout_(settings.dial_timeout) {}

    Action on_open(Connection& peer) override;
    // Half of a pair cannot travel.
    std::optional<Buffer> on_export(Connection&) override { return {}; }

private:
    Destination backend_;
    Duration dial_timeout_;
};

}  // namespace berth::app
