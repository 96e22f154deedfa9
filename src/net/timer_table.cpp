// SPDX-License-Identifier: MIT
//
// TimerTable: making, finding and running timers, and what other threads ask for.

#include "net/timer_table.hpp"

#include "net/connection_table.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace berth::net {

namespace {

constexpr std::size_t kChainsMin = 64;                         // a power of two
constexpr Duration kPeriodMin = std::chrono::milliseconds{1};  // what the wheel can tell apart

}  // namespace

TimerTable::Plan TimerTable::Plan::after(Instant now, Duration delay) {
    return {.first = now + std::max(delay, Duration::zero())};
}

TimerTable::Plan TimerTable::Plan::every(Instant now, Duration period) {
    const Duration beat = std::max(period, kPeriodMin);
    return {.first = now + beat, .period = beat};
}

TimerTable::TimerTable(ConnectionTable& table)
    : table_(table), entries_(base::Slab<Entry>::kSlotsMax) {
    static_cast<void>(calls_.close());  // until it is open
}

void TimerTable::open() {
    is_open_ = true;
    calls_.reopen();
}

// What a task owned may, as it goes, ask for timers: it gets none.
void TimerTable::close() {
    heed(calls_.close());
    is_open_ = false;
    table_.counters().timers_dropped.add(entries_.size());
    entries_.for_each([this](Entry& entry) { drop(entry); });
}

// ── Made and taken back ──────────────────────────────────────────────────────────────────────

TimerId TimerTable::next_id() {
    return {static_cast<std::uint32_t>(table_.loop_index()),
            last_number_.fetch_add(1, std::memory_order_relaxed) + 1};
}

TimerId TimerTable::schedule(const Plan& plan, Work work, ConnectionId connection) {
    const TimerId id = next_id();
    return add(id, plan, std::move(work), connection) ? id : TimerId();
}

bool TimerTable::add(TimerId id, const Plan& plan, Work&& work, ConnectionId connection) {
    if (!is_open_) return false;
    if (entries_.size() == chains_.size()) grow();
    Entry* const entry = entries_.emplace(*this);
    if (entry == nullptr) return false;
    entry->id = id;
    entry->connection = connection;
    entry->plan = plan;
    entry->work = std::move(work);
    entry->next_of_number = std::exchange(chain_of(id), entry);
    if (connection) join(*entry);
    table_.counters().timers.add();
    table_.loop().timers().arm(*entry, plan.first);
    return true;
}

bool TimerTable::cancel(TimerId id) {
    Entry* const entry = find(id);
    if (entry == nullptr) return false;
    drop(*entry);
    return true;
}

void TimerTable::drop_those_of(std::uint32_t slot) {
    while (slot < of_connection_.size() && of_connection_[slot] != nullptr) {
        drop(*of_connection_[slot]);
    }
}

// Its work goes last: what it owns may come back here as it is destroyed.
void TimerTable::drop(Entry& entry) {
    const Work work = std::move(entry.work);
    Entry** link = &chain_of(entry.id);
    while (*link != &entry) link = &(*link)->next_of_number;
    *link = entry.next_of_number;
    if (entry.connection) part(entry);
    table_.loop().timers().cancel(entry);
    table_.counters().timers.sub();
    entries_.erase(entry.slot);
}

TimerTable::Entry* TimerTable::find(TimerId id) {
    if (!id || id.loop() != table_.loop_index() || chains_.empty()) return nullptr;
    Entry* entry = chain_of(id);
    while (entry != nullptr && entry->id != id) entry = entry->next_of_number;
    return entry;
}

void TimerTable::grow() {
    chains_.assign(std::max(2 * chains_.size(), kChainsMin), nullptr);
    entries_.for_each(
        [this](Entry& entry) { entry.next_of_number = std::exchange(chain_of(entry.id), &entry); });
}

void TimerTable::join(Entry& entry) {
    const std::size_t slot = entry.connection.slot();
    if (of_connection_.size() <= slot) of_connection_.resize(slot + 1);
    entry.next_of_connection = std::exchange(of_connection_[slot], &entry);
    if (entry.next_of_connection != nullptr) {
        entry.next_of_connection->previous_of_connection = &entry;
    }
}

void TimerTable::part(Entry& entry) {
    Entry* const next = entry.next_of_connection;
    Entry* const previous = entry.previous_of_connection;
    if (next != nullptr) next->previous_of_connection = previous;
    if (previous != nullptr) {
        previous->next_of_connection = next;
    } else {
        of_connection_[entry.connection.slot()] = next;
    }
}

// ── Due ──────────────────────────────────────────────────────────────────────────────────────

void TimerTable::fire(loop::Timer& timer) {
    auto& entry = static_cast<Entry&>(timer);
    entry.table.due(entry.id);
}

void TimerTable::due(TimerId id) {
    if (!calls_.empty()) heed(calls_.take_all());
    Entry* const entry = find(id);
    if (entry == nullptr) return;
    if (entry->plan.period > Duration::zero()) return beat(*entry);
    Work work = std::move(entry->work);
    const ConnectionId connection = entry->connection;
    drop(*entry);  // while it runs its id is stale already
    run(work, connection);
}

// It may cancel itself: then it is not found afterwards.
void TimerTable::beat(Entry& entry) {
    const TimerId id = entry.id;
    Work work = std::move(entry.work);
    run(work, entry.connection);
    Entry* const again = find(id);
    if (again == nullptr) return;
    again->work = std::move(work);
    Plan& plan = again->plan;
    const Duration late = std::max(table_.loop().now() - plan.first, Duration::zero());
    plan.first = plan.first + (late / plan.period + 1) * plan.period;
    table_.loop().timers().arm(*again, plan.first);
}

// Of a connection that is closing nothing runs any more.
void TimerTable::run(Work& work, ConnectionId connection) {
    ConnectionCore* const peer = connection ? table_.find(connection) : nullptr;
    if (connection && peer == nullptr) return;
    table_.counters().timers_fired.add();
    if (peer == nullptr) {
        table_.guarded_void(Callback::timer, [&] { std::get<LoopWork>(work)(table_.face()); });
    } else if (!table_.guarded_void(Callback::timer,
                                    [&] { std::get<ConnectionWork>(work)(*peer); })) {
        peer->close(CloseMode::now, CloseReason::handler_threw);
    }
}

// ── Any thread ───────────────────────────────────────────────────────────────────────────────

TimerId TimerTable::post(const Plan& plan, LoopWork work) {
    Call* const call = base::Recycler<Call>::take();
    const TimerId id = next_id();
    call->id = id;
    call->plan = plan;
    call->work = std::move(work);
    return send(*call) ? id : TimerId();
}

bool TimerTable::post_cancel(TimerId id) {
    if (!id || id.loop() != table_.loop_index()) return false;
    Call* const call = base::Recycler<Call>::take();
    call->id = id;
    return send(*call);
}

bool TimerTable::send(Call& call) {
    if (calls_.push(call) == base::Pushed::refused) {
        call.work.reset();
        base::Recycler<Call>::give_back(&call);
        return false;
    }
    bell_.ring();
    return true;
}

void TimerTable::heed(Call* first) {
    while (first != nullptr) {
        Call* const call = std::exchange(first, first->next);
        if (call->work) {
            add(call->id, call->plan, std::move(call->work), {});
        } else {
            cancel(call->id);
        }
        call->work.reset();
        base::Recycler<Call>::give_back(call);
    }
}

// Refused only by a loop that has ended: then close() finds the call.
void TimerTable::Bell::ring() {
    if (!is_rung_.exchange(true) && !table_.table_.loop().post(*this)) is_rung_.store(false);
}

void TimerTable::Bell::run() {
    is_rung_.exchange(false);  // reads what the last to ring wrote, and so sees its call
    if (!table_.calls_.empty()) table_.heed(table_.calls_.take_all());
}

}  // namespace berth::net
