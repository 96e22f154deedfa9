// SPDX-License-Identifier: MIT
//
// ConnectionTable: the connections of one loop, and what they share: the turn, the output pool,
// the counters, the list of those with something to do at the end of the batch.
//
// Lifetime:  connections must all be reaped before it is destroyed.
// Threads:   the loop's; counters() is read by any.

#pragma once

#include "base/slab.hpp"
#include "loop/events.hpp"
#include "loop/loop.hpp"
#include "net/connection_core.hpp"
#include "net/connection_limit.hpp"
#include "net/host.hpp"
#include "net/loop_counters.hpp"
#include "net/output_queue.hpp"
#include "net/turn.hpp"
#include "net/wire.hpp"
#include "net/write_waiter.hpp"
#include "transport/transport.hpp"

#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/options.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace berth::net {

struct TableSetup {
    EventLoop& face;  // what callbacks see
    std::size_t loop_index;
    EventHandler& handler;
    const Options& options;
    ConnectionLimit& limit;
    Host& host;
    transport::TransportFactory* transports;  // null: every connection is plain
};

class ConnectionTable final : public loop::BatchEvents {
public:
    ConnectionTable(const TableSetup& setup, driver::System& system);
    ConnectionTable(const ConnectionTable&) = delete;
    ConnectionTable& operator=(const ConnectionTable&) = delete;
    ~ConnectionTable() = default;

    // Takes over an accepted descriptor; it is closed if there is no slot for it.
    void adopt(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener);
    Result<ConnectionId> connect(const Endpoint& endpoint, Deadline deadline);

    // Null for one that is closing, or is still connecting.
    ConnectionCore* find(ConnectionId id);
    // The same, connecting ones too.
    ConnectionCore* find_any(ConnectionId id);
    template <class Visit>
    void for_each_open(Visit&& visit) {
        slots_.for_each([&](ConnectionCore& connection) {
            if (connection.was_opened() && !connection.is_gone()) visit(connection);
        });
    }
    std::size_t size() const { return slots_.size(); }
    std::size_t open_count() const { return open_count_; }

    // ── Stopping ─────────────────────────────────────────────────────────────────────────────
    void begin_run();
    // From now on: what is open is asked to drain, and so is what still opens.
    void begin_drain(Deadline deadline);
    void force_all();
    // Closes everything without the driver, which is broken or too slow.
    void abandon_all(CloseReason reason);
    bool is_stopping() const { return drain_deadline_.has_value(); }

    // ── For its connections ──────────────────────────────────────────────────────────────────
    loop::Loop& loop() { return loop_; }
    driver::Driver& driver() { return loop_.driver(); }
    driver::System& system() { return loop_.system(); }
    Turn& turn() { return turn_; }
    OutputPool& output_pool() { return output_pool_; }
    EventHandler& handler() { return handler_; }
    EventLoop& face() { return face_; }
    const Options& options() const { return options_; }
    Host& host() { return host_; }
    LoopCounters& counters() { return counters_; }
    std::size_t loop_index() const { return loop_index_; }

    void mark_dirty(ConnectionCore& connection) { dirty_.push_back(&connection); }
    void finish_later(WriteWaiter& waiter, Delivery delivery);
    // Gives it a transport, if it is to have one.
    bool add_wire(const ConnectionCore& connection);
    Wire& wire(base::SlotId id) { return *wires_[id.slot]; }
    Duration handshake_timeout() const { return transports_->handshake_timeout(); }
    void opened(ConnectionCore& connection);  // before on_open
    void drain(ConnectionCore& connection);   // after on_open, while stopping
    // Once everything has been read that is in the kernel now.
    void finish_drain_later(ConnectionCore& connection);
    void connect_failed(const ConnectionCore& connection, int errno_value);
    void reap(ConnectionCore& connection);  // after on_close

    // Calls the user; a throw is counted, logged and answered with nothing.
    template <class Call, class Otherwise>
    auto guarded_or(Callback callback, Call&& call, Otherwise&& otherwise) -> decltype(call());
    template <class Call>
    auto guarded(Callback callback, Call&& call) -> std::optional<decltype(call())> {
        using Answer = std::optional<decltype(call())>;
        return guarded_or(callback, [&] { return Answer(call()); }, [] { return Answer(); });
    }
    template <class Call>
    bool guarded_void(Callback callback, Call&& call) {
        return guarded(callback, [&] { return call(), true; }).has_value();
    }

    void on_batch_end() override;

private:
    void threw(Callback callback);
    void settle_dirty();
    void finish_waiters();
    std::unique_ptr<transport::Transport> make_transport(const ConnectionCore& connection);
    void free_reaped();
    void drain_after_harvest();
    void finish_drains(bool is_patient);

    EventLoop& face_;
    std::size_t loop_index_;
    EventHandler& handler_;
    const Options& options_;
    ConnectionLimit& limit_;
    Host& host_;
    transport::TransportFactory* transports_;
    loop::Loop loop_;
    Turn turn_;
    OutputPool output_pool_;
    LoopCounters counters_;
    base::Slab<ConnectionCore> slots_;
    std::vector<std::unique_ptr<Wire>> wires_;  // by slot; empty while all are plain
    std::size_t open_count_ = 0;
    std::vector<ConnectionCore*> dirty_;
    std::vector<ConnectionCore*> settling_;  // dirty_ of the batch being ended
    std::vector<base::SlotId> reaped_;
    WriteWaiters finished_;
    std::optional<Deadline> drain_deadline_;
    bool is_forced_ = false;
    std::vector<base::SlotId> draining_;  // whose FIN waits for the harvest
    unsigned polls_before_fin_ = 0;       // until all input that arrived before it was read
    unsigned harvest_polls_ = 0;          // that found still more
    std::unordered_map<std::uint32_t, Endpoint> dialled_;  // by slot, until connected
};

template <class Call, class Otherwise>
auto ConnectionTable::guarded_or(Callback callback, Call&& call, Otherwise&& otherwise)
    -> decltype(call()) {
    turn_.enter(callback);
    try {
        return std::forward<Call>(call)();
    } catch (...) {
        threw(callback);
        return std::forward<Otherwise>(otherwise)();
    }
}

}  // namespace berth::net
