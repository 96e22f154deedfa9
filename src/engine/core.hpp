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

#include "base/reader_gate.hpp"
#include "engine/admission.hpp"
#include "engine/coordinator.hpp"
#include "engine/environment.hpp"
#include "engine/handover/handover.hpp"
#include "engine/lifecycle.hpp"
#include "engine/listeners.hpp"
#include "engine/statistics.hpp"
#include "engine/stop_request.hpp"
#include "engine/worker.hpp"
#include "net/connection_limit.hpp"
#include "net/memory_budget.hpp"

#include <berth/engine.hpp>
#include <berth/logger.hpp>
#include <berth/resolver.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
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
    // How the starting thread waits for the generation before: until `descriptor` can be read, a
    // progress, or the time is over. Set before open.
    using Waiter = UniqueFunction<void(Duration, driver::Descriptor descriptor)>;
    void on_wait(Waiter waiter) { waiter_ = std::move(waiter); }
    void wait(Duration time, driver::Descriptor descriptor) { waiter_(time, descriptor); }
    // Called on the thread that moves the state, after each move.
    using Observer = UniqueFunction<void(EngineState from, EngineState to)>;
    void observe(Observer observer) { observers_.push_back(std::move(observer)); }

    // ── The coordinator's thread ─────────────────────────────────────────────────────────────
    Coordinator& coordinator() { return coordinator_; }
    bool move(LifecycleEvent event);  // false: the event means nothing now
    // Sockets that the next open() may use; forgotten by it.
    void inherit(std::vector<InheritedSocket> sockets) { inherited_ = std::move(sockets); }
    // Every listener is somebody else's, too: none is emptied, shut down or verified.
    void keep_listeners(bool kept) { keeps_listeners_ = kept; }
    bool keeps_listeners() const { return keeps_listeners_; }
    std::vector<driver::Descriptor> listener_sockets() const { return listeners_.sockets(); }
    void suspend_listeners();
    void resume_listeners();
    bool listeners_are_suspended() const;
    StopReport::Sample connections_by_state(Duration at) const;
    // Gives the loops what was added since; in the end for the last time.
    bool assign_added_listeners() { return listeners_.assign_added(); }
    void stop_adding_listeners();
    void call_on_listener_closed(const ListenerReport& report);
    void call_on_reload();
    // Ends the run: workers, listeners and paths. Workers that are stuck are left to themselves.
    void dismantle();
    void call_on_shutdown(const StopReport& report);
    bool was_stopped_during_boot() const { return stopped_during_boot_; }

    handover::Handover& handover() { return handover_; }
    const handover::Handover& handover() const { return handover_; }

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    EngineState state() const { return state_.load(std::memory_order_acquire); }
    void wait_until_ended() const;
    void request_stop(StopSource source);  // by Options::drain from now
    void request_stop(StopSource source, Deadline deadline);
    const StopRequest& stop_request() const { return stop_request_; }
    void want_suspension(bool wanted);
    bool wants_suspension() const { return wants_suspension_.load(); }
    Result<std::size_t> add_listener(std::string_view address, const DatagramOptions& datagrams);
    bool request_close(std::size_t listener, Deadline deadline);
    Deadline deadline() const { return stop_request_.deadline(); }
    void progress();
    void connection_gone();
    void log(LogLevel level, std::string_view message) const;
    void log_transition(EngineState from, EngineState to) const;

    Engine& face() const { return face_; }
    EventHandler& handler() const { return handler_; }
    const Options& options() const { return options_; }
    driver::System& system() const { return environment_->system(); }
    std::string driver_description() const { return environment_->driver_description(); }
    transport::TransportFactory* transports() const { return environment_->transports(); }
    net::ConnectionLimit& limit() { return limit_; }
    Admission& admission() { return admission_; }
    std::uint64_t hash_key() const { return hash_key_; }  // Balance::source_hash; for a run
    net::MemoryBudget& memory() { return memory_; }
    std::size_t worker_count() const { return worker_count_.load(std::memory_order_acquire); }
    Worker& worker(std::size_t index) const { return *workers_[index]; }

    // Of names that loops dial.
    Resolver& resolver() {
        return options_.resolver != nullptr ? *options_.resolver : own_resolver_;
    }

    // Each in turn: the loop of a dial that does not care.
    std::size_t next_dialler() { return next_dialler_.fetch_add(1) % worker_count(); }

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

    Statistics& statistics() { return statistics_; }
    const Statistics& statistics() const { return statistics_; }
    base::ReaderGate& endpoints_gate() const { return endpoints_gate_; }  // of listeners()
    Listeners& listeners() { return listeners_; }
    const Listeners& listeners() const { return listeners_; }

private:
    Result<void> resolve_options();
    Result<void> open_workers();
    void make_workers();
    Result<void> call_on_boot();
    template <class Call>
    void call_handler(const char* callback, Call&& call);

    Engine& face_;
    EventHandler& handler_;
    const Options asked_;  // as given; options_ has the defaults filled in
    Options options_;
    std::unique_ptr<Environment> environment_;
    UniqueFunction<void()> wake_coordinator_;
    Waiter waiter_;
    std::atomic<EngineState> state_{EngineState::idle};
    StopRequest stop_request_;
    std::atomic<bool> wants_suspension_{false};
    net::ConnectionLimit limit_;
    std::uint64_t hash_key_ = 0;
    net::MemoryBudget memory_;
    Listeners listeners_{*this};
    Admission admission_{listeners_};
    handover::Handover handover_{*this};
    Statistics statistics_;
    mutable base::ReaderGate endpoints_gate_;
    base::ReaderGate adding_gate_;  // who adds listeners visits; open while the engine takes them
    std::vector<InheritedSocket> inherited_;
    std::vector<Observer> observers_;
    std::vector<std::unique_ptr<Worker>> workers_;
    SystemResolver own_resolver_;
    std::atomic<std::size_t> worker_count_{0};
    std::atomic<std::size_t> next_dialler_{0};
    bool keeps_listeners_ = false;
    bool stopped_during_boot_ = false;
    bool has_stuck_workers_ = false;
    driver::Descriptor reserve_ = driver::Descriptor::none;  // so that a stop can open something
    Coordinator coordinator_;
};

}  // namespace berth::engine
