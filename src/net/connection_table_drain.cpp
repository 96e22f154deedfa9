// SPDX-License-Identifier: MIT
//
// ConnectionTable during a stop: who is told when, the harvest before a FIN, force; and those who
// travel.

#include "base/split_mix.hpp"
#include "net/connection_table.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace berth::net {

namespace {

// With the default budget and the kernel's largest receive buffer some 24 polls would do.
constexpr unsigned kHarvestPollsMax = 64;

// Closing one with a full send queue takes the kernel some 50 us: 2 ms for these.
constexpr std::size_t kForcedAtATime = 32;

// So much before the deadline nobody is waited for any more: a FIN must be answered in time.
constexpr Duration kAnswerTime = std::chrono::milliseconds{100};

// When each of `count` connections is told: one after the other, each at random within its share
// of the time, so that they do not all come back at once.
class Spread {
public:
    Spread(Instant begin, Duration length, std::size_t count, std::uint64_t seed)
        : begin_(begin),
          share_(static_cast<double>(length.count()) / static_cast<double>(std::max(count, 1UL))),
          chance_(seed) {}

    Instant next() {
        const double at = share_ * (static_cast<double>(index_++) + chance_.fraction());
        return begin_ + Duration(static_cast<std::int64_t>(at));
    }

private:
    Instant begin_;
    double share_;
    base::SplitMix chance_;
    std::size_t index_ = 0;
};

}  // namespace

// ── Told ─────────────────────────────────────────────────────────────────────────────────────

void ConnectionTable::begin_run() {
    memory_.begin();
    limits_ = TimeLimits::of(options_);
    settings_ = settings_of(options_);
    terms_.reset();
    listener_terms_.clear();
    forced_.clear();
    stalled_.clear();
    harvests_.clear();
    is_harvesting_ = false;
    is_forced_ = false;
}

DrainTerms ConnectionTable::terms_until(Deadline deadline) const {
    if (deadline.is_never()) return {.deadline = deadline, .fin_by = deadline};
    const Duration left = std::max(deadline - loop_.now(), Duration::zero());
    return {.deadline = deadline, .fin_by = deadline - std::min(kAnswerTime, left / 4)};
}

std::optional<DrainTerms> ConnectionTable::drain_terms(std::size_t listener) const {
    std::optional<DrainTerms> terms = terms_;
    for (const auto& [stopping, own] : listener_terms_) {
        if (stopping == listener && (!terms || own.deadline < terms->deadline)) terms = own;
    }
    return terms;
}

// What a stop needs is taken when it begins, so that its end needs none.
void ConnectionTable::reserve_for_stop() {
    std::size_t slots = 0;
    slots_.for_each([&](const ConnectionCore& connection) {
        slots = std::max<std::size_t>(slots, connection.slot().slot + 1);
    });
    if (farewells_.size() < slots) farewells_.resize(slots);
    forced_.reserve(StopReport::kForcedMax);
    harvests_.reserve(slots_.size());
    harvesting_.reserve(slots_.size());
    stalled_.reserve(slots_.size());
    dirty_.reserve(slots_.size());
    settling_.reserve(slots_.size());
    reaped_.reserve(slots_.size());
}

void ConnectionTable::begin_drain(Deadline deadline) {
    terms_ = terms_until(deadline);
    reserve_for_stop();
    if (deadline > loop_.now()) tell_to_drain(*terms_, [](const auto&) { return true; });
    note_progress();
}

void ConnectionTable::begin_drain_of(std::size_t listener, Deadline deadline) {
    const DrainTerms terms = terms_until(deadline);
    listener_terms_.emplace_back(listener, terms);
    reserve_for_stop();
    tell_to_drain(terms, [listener](const ConnectionCore& connection) {
        return connection.listener() == listener;
    });
}

// Whoever is told last has at least half of the time left.
template <class Wanted>
void ConnectionTable::tell_to_drain(const DrainTerms& terms, Wanted&& wanted) {
    const Instant now = loop_.now();
    Duration length = options_.spread;
    if (!terms.deadline.is_never()) length = std::min(length, (terms.deadline - now) / 2);
    const bool is_spread = length > Duration::zero();
    Spread spread(now, length, slots_.size(), is_spread ? system().random() : 0);
    slots_.for_each([&](ConnectionCore& connection) {
        if (wanted(connection)) connection.drain(is_spread ? spread.next() : now);
    });
}

void ConnectionTable::drain(ConnectionCore& connection) {
    if (is_forced_) return connection.force();
    connection.drain(loop_.now());
}

void ConnectionTable::note_progress() {
    if (is_stopping() && counters_.is_settled()) host_.drain_progress();
}

Farewell& ConnectionTable::farewell(std::uint32_t slot) {
    if (slot >= farewells_.size()) farewells_.resize(slot + 1);
    return farewells_[slot];
}

std::size_t ConnectionTable::count_of(std::size_t listener) {
    std::size_t count = 0;
    slots_.for_each([&](const ConnectionCore& connection) {
        if (connection.listener() == listener) ++count;
    });
    return count;
}

// ── The harvest ──────────────────────────────────────────────────────────────────────────────

// Input that the kernel has before our FIN is a request that arrived in time: it is read and
// answered first. A poll that began after this (the one under way does not count) and had to put
// nothing off proves that nothing was left; and a task that was queued has been run. Whoever goes
// on sending has kHarvestPollsMax polls.
void ConnectionTable::finish_drain_later(ConnectionCore& connection) {
    if (!connection.begin_harvest()) return;
    harvests_.push_back({.slot = connection.slot()});
    is_harvesting_ = true;
    has_leftovers_ = true;
    loop_.hurry();
}

void ConnectionTable::gather_harvest() {
    harvesting_.swap(harvests_);
    for (Harvest& harvest : harvesting_) {
        ConnectionCore* connection = slots_.find(harvest.slot);
        if (connection == nullptr || connection->is_gone()) continue;
        if (--harvest.polls_left > 0) {
            harvests_.push_back(harvest);
            continue;
        }
        const bool is_patient = ++harvest.polls < kHarvestPollsMax;
        if (is_patient && (!driver().delivered_all() || connection->is_put_off())) {
            harvest.polls_left = 1;
            harvests_.push_back(harvest);
        } else {
            connection->finish_drain();
        }
    }
    harvesting_.clear();
    is_harvesting_ = !harvests_.empty();
    if (is_harvesting_) loop_.hurry();
}

// ── Force ────────────────────────────────────────────────────────────────────────────────────

void ConnectionTable::force_all() {
    is_forced_ = true;
    slots_.for_each([](ConnectionCore& connection) { connection.force(); });
}

// Whoever moves until it is its turn is left alone.
bool ConnectionTable::force_stalled() {
    if (stalled_.empty()) {
        slots_.for_each([&](ConnectionCore& connection) {
            if (connection.has_stalled()) stalled_.push_back(connection.slot());
        });
    }
    for (std::size_t i = 0; i < kForcedAtATime && !stalled_.empty(); ++i) {
        ConnectionCore* connection = slots_.find(stalled_.back());
        stalled_.pop_back();
        if (connection != nullptr && connection->is_stalled()) connection->force();
    }
    return !stalled_.empty();
}

void ConnectionTable::force_of(std::size_t listener) {
    slots_.for_each([listener](ConnectionCore& connection) {
        if (connection.listener() == listener) connection.force();
    });
}

void ConnectionTable::abandon_all(CloseReason reason) {
    slots_.for_each([reason](ConnectionCore& connection) { connection.abandon(reason); });
}

// ── Travelling ───────────────────────────────────────────────────────────────────────────────

std::size_t ConnectionTable::export_idle(UniqueFunction<void(Traveller&&)>& sink) {
    std::size_t count = 0;
    slots_.for_each([&](ConnectionCore& connection) {
        auto traveller = connection.travel();
        if (!traveller) return;
        ++count;
        sink(std::move(*traveller));
    });
    return count;
}

bool ConnectionTable::import(Traveller&& traveller, Seat seat) {
    ConnectionCore* connection = slots_.emplace(*this, NewConnection{.socket = traveller.socket,
                                                                     .peer = traveller.peer,
                                                                     .listener = traveller.listener,
                                                                     .seat = seat});
    if (connection == nullptr) return false;
    traveller.socket = driver::Descriptor::none;
    counters_.opened.add();
    connection->open_imported(traveller);
    return true;
}

}  // namespace berth::net
