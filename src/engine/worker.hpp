// SPDX-License-Identifier: MIT
//
// Worker: one loop of an engine with all that lives on it: connections, acceptors, the tick.
//
// It is what users see as EventLoop. Whoever calls step() is its thread: a worker thread, or a
// simulation. The coordinator talks to it by posted commands, whose memory it owns, so that a
// stop allocates nothing; it answers through atomics and Core::progress.
//
// Lifetime:  made by the first Core::boot, and kept for every run of the engine, so that ids of
//            an earlier run stay stale and late posts meet a closed queue.
// Threads:   step() and what it calls on one thread; commands and state from any.

#pragma once

#include "engine/balancer.hpp"
#include "engine/command.hpp"
#include "loop/loop.hpp"
#include "net/acceptor.hpp"
#include "net/connection_table.hpp"
#include "net/datagram_port.hpp"

#include <berth/event_loop.hpp>
#include <berth/snapshot.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace berth::engine {

class Core;

namespace offload {
class JobBook;
}

class Worker final : public EventLoop,
                     private net::Host,
                     private net::Placement,
                     private net::DatagramOwner {
public:
    Worker(Core& core, std::size_t index);
    ~Worker();

    static Worker& of(EventLoop& loop) { return static_cast<Worker&>(loop); }
    static const Worker& of(const EventLoop& loop) { return static_cast<const Worker&>(loop); }

    // ── Before the first step ────────────────────────────────────────────────────────────────
    driver::Outcome<void> open(loop::DriverFactory& factory);
    // `entrance` outlives the acceptor.
    void add_listener(driver::Descriptor socket, std::size_t listener,
                      const net::Entrance& entrance);
    // After the last step: closes the driver and what listeners are left.
    void shut();

    // ── The worker's thread ──────────────────────────────────────────────────────────────────
    void begin();  // on_loop_start, then accepting
    // False: it has ended; on_loop_stop was called.
    bool step(Deadline until) { return step_prepared(prepare_step(until)); }
    // The same in two steps, as loop/loop.hpp has them.
    Deadline prepare_step(Deadline until) { return loop().prepare_wait(until); }
    bool step_prepared(Deadline deadline);

    // Of one listener alone, on the worker's thread.
    void close_listener(std::size_t listener);
    // One that was expected has come; or will never.
    void welcome_listener(driver::Descriptor socket, std::size_t listener,
                          const net::Entrance& entrance);
    void lose_listener(std::size_t listener);
    // Its socket on this loop; null: there is none, or it is closed.
    net::DatagramPort* datagram_port(std::size_t listener);

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    void suspend_listeners() {
        is_suspended_.store(true);
        command(listen_);
    }
    void resume_listeners() {
        is_suspended_.store(false);
        command(listen_);
    }
    // Before it is sent to: until then the listeners are not closed.
    void expect_listener() { listeners_coming_.fetch_add(1); }
    void close_listeners() { command(close_listeners_); }
    void drain() { command(drain_); }
    void force_stalled() { command(force_stalled_); }
    void force() { command(force_); }
    void leave() { command(leave_); }
    bool listeners_are_closed() const {
        return listeners_coming_.load() == 0 && listeners_open_.load() == 0;
    }
    // Those with sessions close after the last of them.
    bool listeners_are_quiet() const {
        return listeners_coming_.load() == 0 && listeners_loud_.load() == 0;
    }
    bool listeners_are_suspended() const {
        return listeners_coming_.load() == 0 && listeners_armed_.load() == 0;
    }
    // Has every connection sent its FIN?
    bool is_settled() { return was_told_to_drain_.load() && counters().is_settled(); }
    std::optional<Instant> busy_since() const { return table_.loop().busy_since(); }
    std::int64_t thread() const { return thread_.load(std::memory_order_relaxed); }
    bool has_left() const { return has_left_.load(); }
    bool has_failed() const { return failure_.load() != 0; }
    int failure() const { return failure_.load(); }
    net::Callback callback() { return table_.turn().callback(); }
    // Of a connection that table() expects.
    void hand_off(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener);

    Core& core() const { return core_; }
    std::size_t index() const { return index_; }
    loop::Loop& loop() { return table_.loop(); }
    net::ConnectionTable& table() { return table_; }
    offload::JobBook& jobs();  // on the worker's thread
    const net::LoopCounters& counters() { return table_.counters(); }

private:
    // net::Host
    void stop_requested_by_handler() override;
    void handler_threw(net::Callback callback, std::string_view what) override;
    void connection_reaped() override;
    void busy_connection_gone(ConnectionId id) override;
    const Endpoint& listening_on(std::size_t index) const override;
    void resolve(ConnectionId dial, NameQuery&& query) override;
    void place_left(std::size_t listener, const IpEndpoint& peer) override;
    void session_left(std::size_t listener) override;
    void drain_progress() override;
    // net::Placement
    void place(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener) override;
    void listener_changed(const net::Acceptor& acceptor) override;
    // net::DatagramOwner
    void port_changed(const net::DatagramPort& port) override;
    void datagrams_received(std::size_t listener, std::size_t count) override;
    bool admits_session(std::size_t listener, const IpEndpoint& peer) override;

    void add_datagram_port(driver::Descriptor socket, std::size_t listener,
                           const net::Entrance& entrance);
    std::optional<Refusal> refusal_of(const IpEndpoint& peer, std::size_t listener);
    void log_refusal(Refusal refusal, const IpEndpoint& peer, std::size_t listener);
    void command(Command& command);
    void do_listen();
    void do_close_listeners();
    void end_listeners(net::ListenerEnd end);
    void count_listeners();
    void do_drain();
    void do_force_stalled();
    void do_force();
    void do_leave() { leaving_ = true; }
    void end();
    void tick();
    void settle_thread();

    struct Tick : loop::Timer {
        explicit Tick(Worker& owner);
        Worker& worker;
    };

    Core& core_;
    std::size_t index_;
    net::ConnectionTable table_;
    std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
    std::unique_ptr<offload::JobBook> jobs_;  // from the first job on
    std::vector<std::unique_ptr<net::DatagramPort>> datagram_ports_;
    Tick tick_;
    Balancer balancer_;
    bool leaving_ = false;

    Command listen_;
    Command close_listeners_;
    Command drain_;
    Command force_stalled_;
    Command force_;
    Command leave_;
    std::atomic<std::size_t> listeners_coming_{0};  // on their way here
    std::atomic<std::size_t> listeners_open_{0};
    std::atomic<std::size_t> listeners_loud_{0};   // of these, not quiet
    std::atomic<std::size_t> listeners_armed_{0};  // of those, not suspended
    std::atomic<bool> was_told_to_drain_{false};
    std::atomic<bool> is_suspended_{false};  // as it was told last
    std::atomic<std::int64_t> thread_{0};
    std::atomic<bool> has_left_{false};
    std::atomic<int> failure_{0};
};

}  // namespace berth::engine
