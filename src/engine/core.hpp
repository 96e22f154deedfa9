// SPDX-License-Identifier: MIT
//
// Core: an engine without threads: its options, listeners, workers and state.
//
// open() opens everything or nothing; the coordinator ends it. Runner puts threads under it; a
// simulation steps it by hand.
//
// Lifetime:  made with its Engine; workers live from the first boot on.
// Threads:   marked per group.

#pragma once

#include "engine/coordinator.hpp"
#include "engine/environment.hpp"
#include "engine/lifecycle.hpp"
#include "engine/stop_request.hpp"
#include "engine/worker.hpp"
#include "net/connection_limit.hpp"
#include "net/listening.hpp"

#include <berth/engine.hpp>
#include <berth/logger.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace berth::engine {

class Core {
public:
    Core(Engine& face, EventHandler& handler, const Options& options,
         std::unique_ptr<Environment> environment);
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;
    ~Core();

    // ── The starting thread ──────────────────────────────────────────────────────────────────
    // Binds every address and opens the loops. On failure nothing stays open.
    Result<void> open(std::span<const std::string> addresses);
    // Calls on_boot; then the workers may begin. On failure the same.
    Result<void> boot();
    // Undoes open().
    Error undo(Error error);
    // Called when something happened that the coordinator waits for; set before boot.
    void on_progress(UniqueFunction<void()> wake) { wake_coordinator_ = std::move(wake); }

    // ── The coordinator's thread ─────────────────────────────────────────────────────────────
    Coordinator& coordinator() { return coordinator_; }
    bool move(LifecycleEvent event);  // false: the event means nothing now
    // Ends the run: workers, listeners and paths. Workers that are stuck are left to themselves.
    void dismantle();
    void call_on_shutdown(const StopReport& report);
    bool was_stopped_during_boot() const { return stopped_during_boot_; }

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    EngineState state() const { return state_.load(std::memory_order_acquire); }
    void wait_until_ended() const;
    void request_stop(StopSource source);  // by Options::drain from now
    void request_stop(StopSource source, Deadline deadline);
    const StopRequest& stop_request() const { return stop_request_; }
    Deadline deadline() const { return stop_request_.deadline(); }
    void progress();
    void connection_gone();
    void log(LogLevel level, std::string_view message) const;

    Engine& face() const { return face_; }
    EventHandler& handler() const { return handler_; }
    const Options& options() const { return options_; }
    driver::System& system() const { return environment_->system(); }
    std::string driver_description() const { return environment_->driver_description(); }
    transport::TransportFactory* transports() const { return environment_->transports(); }
    net::ConnectionLimit& limit() { return limit_; }
    std::size_t worker_count() const { return worker_count_.load(std::memory_order_acquire); }
    Worker& worker(std::size_t index) const { return *workers_[index]; }

    // While one exists, the thread works for this engine: waiting for the engine would deadlock.
    class Presence {
    public:
        explicit Presence(const Core& core);
        Presence(const Presence&) = delete;
        Presence& operator=(const Presence&) = delete;
        ~Presence();

    private:
        const Core* previous_;
    };
    bool is_present_here() const;
    bool has_stuck_workers() const { return has_stuck_workers_; }

    // ── From boot to the end of the run ──────────────────────────────────────────────────────
    std::span<const Endpoint> endpoints() const { return endpoints_; }
    const Endpoint& listening_on(std::size_t listener) const { return endpoints_[listener]; }
    // Does the loop that accepts on it hand its connections to others?
    bool hands_over(std::size_t listener) const;

private:
    Result<void> resolve_options();
    Result<void> open_listeners(std::span<const std::string> addresses);
    Result<void> open_workers();
    void make_workers();
    Result<void> call_on_boot();
    void assign_listeners();
    std::size_t shards_of(const Endpoint& endpoint) const;

    Engine& face_;
    EventHandler& handler_;
    const Options asked_;  // as given; options_ has the defaults filled in
    Options options_;
    std::unique_ptr<Environment> environment_;
    UniqueFunction<void()> wake_coordinator_;
    std::atomic<EngineState> state_{EngineState::idle};
    StopRequest stop_request_;
    net::ConnectionLimit limit_;
    std::vector<net::Listening> listenings_;
    std::vector<Endpoint> endpoints_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::atomic<std::size_t> worker_count_{0};
    bool stopped_during_boot_ = false;
    bool has_stuck_workers_ = false;
    driver::Descriptor reserve_ = driver::Descriptor::none;  // so that a stop can open something
    Coordinator coordinator_;
};

}  // namespace berth::engine
