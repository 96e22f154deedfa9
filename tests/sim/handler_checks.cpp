// SPDX-License-Identifier: MIT
//
// Handler: whether what it is told about a connection can be true.

#include "engine/engine_core.hpp"
#include "sim/handler.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace berth::simulation {

namespace {

using namespace std::chrono_literals;

// A harvest has 64 polls; so many budgets must fit into them in any weather.
constexpr std::uint64_t kHarvestedBudgets = 8;
// With fewer events in a poll not everybody has a turn in each.
constexpr std::size_t kEventsForAll = 512;

}  // namespace

// ── Accepting ────────────────────────────────────────────────────────────────────────────────

void Handler::check_limit(const Talk& talk) {
    // A listener that ends empties its queue, whatever the limit.
    if (!full_at_ || engine_->state() != EngineState::ready || !closing_.empty()) return;
    // Each acceptor notices for itself, by the one connection that it accepts too many.
    const std::size_t acceptors = engine_->loop_count() * plan_.addresses.size();
    if (engine_->connection_count() <= *full_at_ + acceptors) return;
    violated("connections-max-ignored", talk,
             std::to_string(engine_->connection_count()) + " are open, and nobody went");
}

// ── Input ────────────────────────────────────────────────────────────────────────────────────

void Handler::check_unread(Connection& peer, Talk& talk) {
    if (peer.unread() < talk.kept) {
        violated("unread-bytes-lost", talk,
                 std::to_string(peer.unread()) + " of " + std::to_string(talk.kept) + " are left");
    }
    if (talk.kept > plan_.options.input_max) {
        violated("input-max-ignored", talk, std::to_string(talk.kept) + " bytes were kept");
    }
}

// What comes in one iteration is bounded.
void Handler::check_arrived(Connection& peer, Talk& talk) {
    if (talk.was_paused || talk.link->disturbed) return;
    if (peer.unread() <= talk.kept + plan_.options.read_budget) return;
    violated("budget-ignored", talk, std::to_string(peer.unread() - talk.kept) + " bytes at once");
}

void Handler::remember_arrived(Talk& talk) {
    talk.drained = true;
    talk.arrived = std::min(talk.link->ends[other(talk.side)].sent[kOwn],
                            talk.seen + kHarvestedBudgets * plan_.options.read_budget);
}

// What had arrived when it was asked to drain is served first. Only where nothing travels is it
// known what had; and an output above high stops the reading.
void Handler::check_harvest(const Talk& talk, CloseReason reason) {
    const bool is_known = world_.schedule.weather.travel_max == Duration::zero() &&
                          plan_.bounds.events_max >= kEventsForAll && !talk.link->doubtful &&
                          talk.link->ends[other(talk.side)].is_peer &&
                          !talk.link->ends[other(talk.side)].vanished;
    if (!is_known || reason != CloseReason::stop_graceful || talk.was_paused) return;
    if (talk.link->disturbed || !talk.waits_for_harvest || talk.seen >= talk.arrived) return;
    violated(
        "arrived-in-vain", talk,
        std::to_string(talk.seen) + " of " + std::to_string(talk.arrived) + " bytes were seen");
}

// ── Reasons ──────────────────────────────────────────────────────────────────────────────────

void Handler::check_reason(const Connection& peer, const Talk& talk, CloseReason reason) {
    if (talk.must_have_thrown && reason != CloseReason::handler_threw) {
        violated("wrong-reason", talk,
                 "it threw, and the reason is " + std::string(to_string(reason)));
    }
    if (talk.link->doubtful || has_cause(peer, talk, reason)) return;
    violated("wrong-reason", talk, "nothing speaks for " + std::string(to_string(reason)));
}

bool Handler::may_be_drained(const Talk& talk) const {
    return engine_->state() >= EngineState::quiescing || closing_.contains(talk.listener);
}

// Who works is not ended by a stop, but by its deadline; unless the handler ends it.
void Handler::check_work(const Talk& talk, CloseReason reason) {
    if (talk.works && !talk.in_trouble && reason == CloseReason::stop_graceful) {
        violated("closed-at-work", talk, "an InFlight token was out");
    }
}

// With time enough nobody who reads, answers and leaves is cut off.
void Handler::check_civil(const Talk& talk, CloseReason reason) const {
    const bool is_cut = reason == CloseReason::stop_forced || reason == CloseReason::user_timeout;
    const bool has_excuse = !talk.link->civil || talk.link->doubtful || talk.link->disturbed ||
                            plan_.options.linger_bytes_max < 10'000 ||
                            plan_.options.send_rate_min > 0;
    // Whoever asked for a stop meanwhile may have left it less.
    const Deadline stop_by = engine::EngineAccess::core(*engine_).deadline();
    const Duration granted = std::min(talk.granted, stop_by - talk.granted_at);
    if (!is_cut || has_excuse || granted < 900ms) return;
    violated("cut-off-in-vain", talk, std::string(to_string(reason)));
}

bool Handler::was_given_up(const Talk& talk) const {
    const auto attempt = attempts_.find(talk.id.value());
    return attempt != attempts_.end() && attempt->second.given_up;
}

bool Handler::has_cause(const Connection& peer, const Talk& talk, CloseReason reason) const {
    const Link& link = *talk.link;
    const End& other_end = link.ends[other(talk.side)];
    const Options& options = plan_.options;
    switch (reason) {
        case CloseReason::peer_end: return talk.end_is_heard;
        case CloseReason::peer_reset:
            return other_end.gone || other_end.ended || !other_end.is_peer;
        case CloseReason::local_close:
            return talk.asked_to_close || link.disturbed || was_given_up(talk);
        case CloseReason::stop_graceful:
        case CloseReason::stop_forced:
        case CloseReason::user_timeout: return may_be_drained(talk);
        case CloseReason::idle_timeout:
            return options.idle_timeout > Duration::zero() &&
                   peer.loop().now() - talk.last_activity >= options.idle_timeout;
        case CloseReason::read_timeout:
            return options.read_timeout > Duration::zero() &&
                   peer.loop().now() - talk.opened_at >= options.read_timeout;
        case CloseReason::write_stall_timeout:
            return options.write_stall_timeout > Duration::zero() &&
                   peer.loop().now() - talk.opened_at >= options.write_stall_timeout;
        case CloseReason::lifetime_max:  // connecting counts, too
            return options.lifetime_max > Duration::zero();
        case CloseReason::outbound_overflow: return talk.overflowed || link.disturbed;
        case CloseReason::inbound_overflow:
            return other_end.sent[kOwn] > link.ends[talk.side].received[kOwn] + options.input_max;
        case CloseReason::handler_threw: return talk.in_trouble;
        default: return false;
    }
}

}  // namespace berth::simulation
