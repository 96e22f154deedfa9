// SPDX-License-Identifier: MIT
//
// ServiceManager: tells systemd, or who speaks like it, how the engine is.
//
// READY when it serves; RELOADING while it reloads or restarts; STOPPING from the first moment of
// a stop, with STATUS and a longer timeout as it goes on; WATCHDOG while every loop comes round.
//
// A hand-over is no stop. The manager hears of the new main process when the probation is over:
// until then the old one can resume, and a manager that had changed its mind would take the death
// of the new one for the death of the service. From then on the old one is silent.
//
// Lifetime:  outlives the run.
// Threads:   the coordinator's.
// See:       sd_notify(3); docs/guides/systemd.md, docs/decisions/0012-sd-notify.md.

#pragma once

#include "driver/system.hpp"
#include "engine/attendant.hpp"
#include "service/notification.hpp"
#include "service/notify_socket.hpp"
#include "service/watchdog.hpp"

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>
#include <berth/engine.hpp>
#include <berth/engine_state.hpp>
#include <berth/result.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace berth::service {

class ServiceManager final : public engine::Attendant {
public:
    struct Settings {
        Endpoint address;  // of NOTIFY_SOCKET
        std::optional<Watchdog> watchdog;
        bool keeps_listeners = false;  // has the manager hold a copy of each
    };
    ServiceManager(driver::System& system, Settings settings)
        : system_(system), settings_(std::move(settings)), socket_(system, settings_.address) {}

    void begin(Engine& engine, os::Notifier& notifier) override;
    Instant attend(Engine& engine) override;
    void changed(Engine& engine, EngineState from, EngineState to) override;
    void end(Engine& engine) override;

    // ── What a signal asked for ──────────────────────────────────────────────────────────────
    void reload_begins(Engine& engine);
    void reload_ends(Engine& engine);
    // Ends by itself, with the hand-over or because it failed, if it could be begun.
    void restart_begins(Engine& engine);
    void restart_fails();
    // There was no run.
    void start_failed(const Error& error);

private:
    static constexpr Duration kProgressInterval = std::chrono::seconds{1};
    static constexpr Duration kRetryInterval = std::chrono::milliseconds{50};
    static constexpr Duration kRestartInterval = std::chrono::milliseconds{100};
    // What a stop may take beyond its deadline: forcing, giving up loops, on_shutdown.
    static constexpr Duration kAfterDeadline = std::chrono::seconds{10};

    void tell(const Notification& notification);
    void tell_status(Engine& engine, Notification notification);
    void tell_progress(Engine& engine, Notification notification);
    void tell_ready(Engine& engine);
    void keep_listeners(Engine& engine);
    void hand_over(Engine& engine);
    void resume(Engine& engine);
    void feed_watchdog(Engine& engine);
    void watch_restart(Engine& engine);

    driver::System& system_;
    Settings settings_;
    NotifySocket socket_;
    Instant next_progress_ = Instant::never();
    std::optional<std::uint64_t> restarts_failed_;  // when the restart under way began
    bool is_silent_ = false;                        // somebody else is the main process now
};

}  // namespace berth::service
