// SPDX-License-Identifier: MIT
//
// TimerTable: the timers of users on one loop, by TimerId.
//
// They live in a slab, wait in the loop's wheel, and are found by their number in a table of
// chains: numbers count up, so that their low bits spread them evenly. Those of a connection are
// chained a second time, to go with it.
//
// Other threads leave calls in a queue and ring a bell, which is a task. A timer that is due looks
// at the queue first: who cancelled it in time is heeded, however far back the bell is.
//
// Lifetime:  that of its ConnectionTable; open from open() to close(), in each run anew.
// Threads:   post and post_cancel any; open() before the loop runs; the rest the loop's.

#pragma once

#include "base/recycler.hpp"
#include "base/slab.hpp"
#include "base/stack_queue.hpp"
#include "loop/task.hpp"
#include "loop/timer_wheel.hpp"

#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/function.hpp>
#include <berth/timer_id.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace berth {

class Connection;
class EventLoop;

}  // namespace berth

namespace berth::net {

class ConnectionTable;

class TimerTable {
public:
    using LoopWork = UniqueFunction<void(EventLoop&)>;
    using ConnectionWork = UniqueFunction<void(Connection&)>;
    using Work = std::variant<LoopWork, ConnectionWork>;

    // When it is due: once, or on a beat.
    struct Plan {
        Instant first;
        Duration period{0};  // 0: once

        static Plan after(Instant now, Duration delay);
        static Plan every(Instant now, Duration period);
    };

    explicit TimerTable(ConnectionTable& table);
    TimerTable(const TimerTable&) = delete;
    TimerTable& operator=(const TimerTable&) = delete;
    ~TimerTable() { close(); }

    void open();
    // Drops what waits, and counts it.
    void close();

    // `connection` is the one it is for; none: it is for the loop.
    TimerId schedule(const Plan& plan, Work work, ConnectionId connection = {});
    bool cancel(TimerId id);
    // The connection in that slot is gone.
    void drop_those_of(std::uint32_t slot);

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    TimerId post(const Plan& plan, LoopWork work);
    bool post_cancel(TimerId id);

private:
    struct Entry : loop::Timer {
        Entry(base::SlotId at, TimerTable& of) : Timer(&TimerTable::fire), table(of), slot(at) {}

        TimerTable& table;
        base::SlotId slot;
        TimerId id;
        ConnectionId connection;
        Plan plan;
        Work work;
        Entry* next_of_number = nullptr;
        Entry* next_of_connection = nullptr;
        Entry* previous_of_connection = nullptr;
    };
    // What another thread asked for; without work it is a cancel.
    struct Call {
        Call* next = nullptr;
        TimerId id;
        Plan plan;
        LoopWork work;
    };
    class Bell final : public loop::Task {
    public:
        explicit Bell(TimerTable& table) : table_(table) {}
        void ring();
        void run() override;
        void cancel() override { is_rung_.store(false); }

    private:
        TimerTable& table_;
        std::atomic<bool> is_rung_{false};
    };

    TimerId next_id();
    bool send(Call& call);
    void heed(Call* first);
    bool add(TimerId id, const Plan& plan, Work&& work, ConnectionId connection);
    Entry* find(TimerId id);
    Entry*& chain_of(TimerId id) { return chains_[id.number() & (chains_.size() - 1)]; }
    void grow();
    void join(Entry& entry);
    void part(Entry& entry);
    void drop(Entry& entry);
    static void fire(loop::Timer& timer);
    void due(TimerId id);
    void beat(Entry& entry);
    void run(Work& work, ConnectionId connection);

    ConnectionTable& table_;
    base::Slab<Entry> entries_;
    std::vector<Entry*> chains_;         // by number
    std::vector<Entry*> of_connection_;  // by the connection's slot; empty while nobody has any
    bool is_open_ = false;
    std::atomic<std::uint64_t> last_number_{0};
    base::StackQueue<Call> calls_;
    Bell bell_{*this};
};

}  // namespace berth::net
