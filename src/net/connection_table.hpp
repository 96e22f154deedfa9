// SPDX-License-Identifier: MIT
//
// ConnectionTable: the connections of one loop, and what they share: the turn, the output pool,
// the counters, the list of those with something to do at the end of the batch.
//
// Lifetime:  connections must all be reaped before it is destroyed.
// Threads:   the loop's, but for what is marked; counters() is read by any, forced() once the loop
// has left.

#pragma once

#include "base/slab.hpp"
#include "loop/events.hpp"
#include "loop/loop.hpp"
#include "net/connection_core.hpp"
#include "net/connection_limit.hpp"
#include "net/context_table.hpp"
#include "net/dial.hpp"
#include "net/farewell.hpp"
#include "net/file_output.hpp"
#include "net/host.hpp"
#include "net/link.hpp"
#include "net/loop_counters.hpp"
#include "net/memory_budget.hpp"
#include "net/message_link.hpp"
#include "net/output_queue.hpp"
#include "net/relays.hpp"
#include "net/socket_settings.hpp"
#include "net/splice_pipe.hpp"
#include "net/time_limits.hpp"
#include "net/timer_table.hpp"
#include "net/traveller.hpp"
#include "net/turn.hpp"
#include "net/wire.hpp"
#include "net/write_waiter.hpp"
#include "transport/transport.hpp"

#include <berth/context.hpp>
#include <berth/dial.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/function.hpp>
#include <berth/options.hpp>
#include <berth/report.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
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
    MemoryBudget& memory;
    Host& host;
    transport::TransportFactory* transports;  // null: every connection is plain
};

class DatagramLink;

class ConnectionTable final : public loop::BatchEvents {
public:
    ConnectionTable(const TableSetup& setup, driver::System& system);
    ConnectionTable(const ConnectionTable&) = delete;
    ConnectionTable& operator=(const ConnectionTable&) = delete;
    ~ConnectionTable() = default;

    // One more connection is on its way here. Any thread: by who accepts, before adopt(), or before
    // unexpect() if that comes to nothing.
    void expect() { load_.fetch_add(1, std::memory_order_relaxed); }
    void unexpect() { load_.fetch_sub(1, std::memory_order_relaxed); }
    // Any thread: connections that are here, or on their way.
    std::size_t load() const { return load_.load(std::memory_order_relaxed); }

    // Takes over an accepted descriptor, whose place is held; it is closed if there is no slot.
    void adopt(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener);
    // If it fails, `options` are as they were.
    Result<ConnectionId> connect(const Destination& to, DialOptions&& options);
    // What Host::resolve has brought; nothing happens if that dial is over.
    void resolved(ConnectionId dial, Result<ResolvedName>&& answer);
    void resolved_early(ConnectionId dial, const ResolvedName& known);
    // Of a connected socket from outside, which is still the caller's if that fails.
    Result<ConnectionId> take_over(driver::Descriptor socket, Context&& context);

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
    // From now on: what is open is asked to drain, over Options::spread, and so is what still
    // opens, at once. Nobody is asked when the deadline has passed: force_all follows.
    void begin_drain(Deadline deadline);
    void force_all();
    // Cuts off who is stalled, some at a time, so that the others are served on. False: nobody is
    // left of those; the next call looks again.
    bool force_stalled();
    // The same for the connections of one listener, while the engine goes on.
    void begin_drain_of(std::size_t listener, Deadline deadline);
    void force_of(std::size_t listener);
    std::size_t count_of(std::size_t listener);
    // Expected, and not wanted: it gets our FIN, and what it sends is read and dropped. If there
    // are kRefusedMax of those already, nobody waits for what it sends.
    static constexpr std::size_t kRefusedMax = 1024;
    void refuse(driver::Descriptor socket, const IpEndpoint& peer, std::size_t listener,
                Refusal refusal);
    // Closes everything without the driver, which is broken or too slow.
    void abandon_all(CloseReason reason);
    bool is_stopping() const { return terms_.has_value(); }
    // Those that were cut off in this run, at most StopReport::kForcedMax of them.
    std::span<const StopReport::Forced> forced() const { return forced_; }

    // ── Travelling ───────────────────────────────────────────────────────────────────────────
    // Every idle connection whose handler wants to is given to `sink`, which owns it from then
    // on; it closes here with reason handed_over. How many went.
    std::size_t export_idle(UniqueFunction<void(Traveller&&)>& sink);
    // Opens a connection from one that came, or that came back. As with adopt() it is expected, and
    // the limit counts it already; so is its place, if `seat` says so. False: there is no slot for
    // it, and it is still the caller's.
    bool import(Traveller&& traveller, Seat seat);

    // ── For its connections ──────────────────────────────────────────────────────────────────
    loop::Loop& loop() { return loop_; }
    const loop::Loop& loop() const { return loop_; }
    driver::Driver& driver() { return loop_.driver(); }
    driver::System& system() { return loop_.system(); }
    TimerTable& timers() { return timers_; }
    Turn& turn() { return turn_; }
    OutputPool& output_pool() { return output_pool_; }
    Relays& relays() { return relays_; }
    // Null: there is none, or this driver does not leave input where it could be spliced.
    const SplicePipe* splice_pipe();
    void end_run() { splice_pipe_.reset(); }
    FileOutput& files(base::SlotId id) { return files_[id.slot]; }  // made by the first call
    void forget_files(base::SlotId id) { files_.erase(id.slot); }
    MemoryLease& memory() { return memory_; }
    EventHandler& handler() { return handler_; }
    EventLoop& face() { return face_; }
    const Options& options() const { return options_; }
    Host& host() { return host_; }
    LoopCounters& counters() { return counters_; }
    std::size_t loop_index() const { return loop_index_; }

    void mark_dirty(ConnectionCore& connection) {
        dirty_.push_back(&connection);
        has_leftovers_ = true;
    }
    void finish_later(WriteWaiter& waiter, Delivery delivery);
    // Gives it a transport, if it is to have one.
    bool add_wire(const ConnectionCore& connection);
    Wire& wire(std::uint32_t slot) { return *wires_[slot]; }
    base::SlotId id_of(std::uint32_t slot) { return slots_.id_of(slot); }
    ContextTable& contexts() { return contexts_; }
    // The address of an IPv6 peer, which is too long for a connection to carry.
    void remember_peer(std::uint32_t slot, const IpEndpoint& peer);
    const IpEndpoint& remembered_peer(std::uint32_t slot) const { return peers_[slot]; }
    DatagramLink& add_link(ConnectionCore& connection);
    MessageLink& add_message_link(ConnectionCore& connection, const MessagePlan& plan);
    // Of a peer whose place is held; then what carries it, and ConnectionCore::open_session. Null:
    // there is no slot for it.
    ConnectionCore* admit_session(const IpEndpoint& peer, std::size_t listener);
    void carry(const ConnectionCore& connection, std::unique_ptr<Link> link);
    Link& link(std::uint32_t slot) { return *links_[slot]; }
    // Of one that is accepted or adopted; nothing: the driver carries it.
    std::optional<MessagePlan> message_plan(const ConnectionCore& connection) const;
    // Where packets of this loop are received, one at a time.
    MutableBytes message_room();
    Duration handshake_timeout() const { return transports_->handshake_timeout(); }
    void opened(ConnectionCore& connection);  // before on_open
    void drain(ConnectionCore& connection);   // after on_open, while stopping
    // What the stop of the engine, or of that listener, grants; nothing: neither is under way.
    std::optional<DrainTerms> drain_terms(std::size_t listener) const;
    // Good until the next call for another connection.
    Farewell& farewell(std::uint32_t slot);
    const TimeLimits& limits() const { return limits_; }
    // Of a connection that differs, or has something to watch; made when it is asked for.
    TimeWatch& watch(std::uint32_t slot, const TimeLimits& inherited) {
        return watches_.try_emplace(slot, inherited).first->second;
    }
    // Null: it has none.
    TimeWatch* watch_if(std::uint32_t slot) {
        const auto found = watches_.find(slot);
        return found == watches_.end() ? nullptr : &found->second;
    }
    void note_progress();  // somebody's FIN is out, or it is gone
    template <class Entry>
    void note_forced(Entry&& entry) {
        if (forced_.size() < StopReport::kForcedMax) forced_.push_back(entry());
    }
    // Once everything has been read that is in the kernel now.
    void finish_drain_later(ConnectionCore& connection);
    void connect_failed(const ConnectionCore& connection, int errno_value);

    // ── For its dials ────────────────────────────────────────────────────────────────────────
    // A fresh socket of ours, with its options, bound to `local`.
    Result<driver::Descriptor> open_own(const Endpoint& to, const std::optional<Endpoint>& local);
    // It has won, or has nothing open any more: its connection goes on at the end of the batch.
    void settle_dial_later(const ConnectionCore& connection);
    // False: none is under way.
    bool give_up_dial(const ConnectionCore& connection);
    void abandon_dial(const ConnectionCore& connection);

    void reap(ConnectionCore& connection, Stage last);  // after on_close

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

    // What a handler threw, inside a catch: counts and logs it.
    void threw(Callback callback);

    void on_batch_end() override;

private:
    struct Harvest {
        base::SlotId slot;
        unsigned polls_left = 2;  // the one under way does not count
        unsigned polls = 0;       // that found still more
    };

    struct Dialled {
        Endpoint peer;
        DialCompletion done;
        std::unique_ptr<Dial> dial = {};  // null: the connection connects by itself
    };
    struct EndedDial {
        DialCompletion done;
        Result<ConnectionId> outcome;
    };

    // connection_table_dial.cpp
    Result<ConnectionId> connect_at_once(const Endpoint& to, DialOptions&& options);
    Result<ConnectionId> begin_dial(const Destination& to, DialOptions&& options);
    Dial* dial_of(const ConnectionCore& connection);
    void settle_dials();
    void settle_dial(ConnectionCore& connection);
    Result<void> bind_local(driver::Descriptor socket, const Endpoint& endpoint,
                            const std::optional<Endpoint>& local);
    void set_options(driver::Descriptor socket, const Endpoint& endpoint);
    ConnectionCore* admit_own(driver::Descriptor socket, const Endpoint& peer);
    Dialled& note_dialled(ConnectionCore& connection, const Endpoint& peer, DialOptions&& options);
    void open_taken_over();
    void conclude_dial(DialCompletion&& done, Result<ConnectionId>&& outcome);
    void tell_ended_dials();

    template <class Made>
    Made& keep_link(const ConnectionCore& connection, std::unique_ptr<Made> made);
    void settle_leftovers();
    void settle_dirty();
    void finish_waiters();
    std::unique_ptr<transport::Transport> make_transport(const ConnectionCore& connection);
    void free_reaped();
    ConnectionCore* admit(const NewConnection& made);
    void never_was(const NewConnection& made);
    void give_place_back(Seat seat, std::size_t listener, const IpEndpoint& peer);
    DrainTerms terms_until(Deadline deadline) const;
    void reserve_for_stop();
    template <class Wanted>
    void tell_to_drain(const DrainTerms& terms, Wanted&& wanted);
    void gather_harvest();

    EventLoop& face_;
    std::size_t loop_index_;
    EventHandler& handler_;
    const Options& options_;
    ConnectionLimit& limit_;
    Host& host_;
    transport::TransportFactory* transports_;
    loop::Loop loop_;
    MemoryLease memory_;
    TimeLimits limits_;
    SocketSettings settings_;  // of outgoing connections
    Turn turn_;
    OutputPool output_pool_;
    LoopCounters counters_;
    Relays relays_;
    std::optional<SplicePipe> splice_pipe_;
    std::unordered_map<std::uint32_t, FileOutput> files_;  // by slot; of those that send one
    ContextTable contexts_;
    std::vector<IpEndpoint> peers_;  // by slot; empty while all speak IPv4
    base::Slab<ConnectionCore> slots_;
    TimerTable timers_{*this};
    std::vector<std::unique_ptr<Wire>> wires_;   // by slot; empty while all are plain
    std::vector<std::unique_ptr<Link>> links_;   // by slot, of those that have one
    std::unique_ptr<std::byte[]> message_room_;  // from the first message on
    std::size_t open_count_ = 0;
    std::size_t refused_count_ = 0;     // that are here
    std::atomic<std::size_t> load_{0};  // from the accept to the reaping
    bool has_leftovers_ = false;        // something for settle_leftovers: one test for all
    std::vector<ConnectionCore*> dirty_;
    std::vector<ConnectionCore*> settling_;  // dirty_ of the batch being ended
    std::vector<base::SlotId> reaped_;
    WriteWaiters finished_;
    bool is_forced_ = false;
    bool is_harvesting_ = false;
    std::optional<DrainTerms> terms_;
    std::vector<std::pair<std::size_t, DrainTerms>> listener_terms_;  // of listeners that stop
    std::vector<Farewell> farewells_;                                 // by slot
    std::vector<StopReport::Forced> forced_;
    std::vector<base::SlotId> stalled_;  // to be looked at by force_stalled
    std::vector<Harvest> harvests_;      // those whose FIN waits until their input is read
    std::vector<Harvest> harvesting_;    // harvests_ of the batch being ended
    std::unordered_map<std::uint32_t, TimeWatch> watches_;  // by slot
    std::unordered_map<std::uint32_t, Dialled> dialled_;    // by slot, until connected
    std::vector<EndedDial> ended_dials_;                    // to be told
    std::vector<EndedDial> telling_;                        // ended_dials_ of the batch being ended
    std::vector<base::SlotId> settled_dials_;               // to go on
    std::vector<base::SlotId> settling_dials_;              // those of the batch being ended
    std::vector<base::SlotId> taken_over_;                  // to be opened
    std::vector<base::SlotId> opening_;                     // taken_over_ of the batch being ended
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
