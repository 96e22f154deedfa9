// SPDX-License-Identifier: MIT
//
// Handler: whether what it is told about a connection can be true.

#include "sim/handler.hpp"

#include <algorithm>
#include <string>

namespace berth::simulation {

namespace {

// A harvest has 64 polls; so many budgets must fit into them in any weather.
constexpr std::uint64_t kHarvestedBudgets = 8;

}  // namespace

// ── Accepting ────────────────────────────────────────────────────────────────────────────────

void Handler::check_limit(const Talk& talk) {
    if (!full_at_ || engine_->state() != EngineState::ready) return;
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
                          !talk.link->doubtful && talk.link->ends[other(talk.side)].is_peer;
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
        case CloseReason::stop_graceful: return engine_->state() >= EngineState::quiescing;
        case CloseReason::stop_forced: return engine_->state() >= EngineState::quiescing;
        case CloseReason::idle_timeout:
            return options.idle_timeout > Duration::zero() &&
                   peer.loop().now() - talk.last_activity >= options.idle_timeout;
        case CloseReason::outbound_overflow: return talk.overflowed || link.disturbed;
        case CloseReason::inbound_overflow:
            return other_end.sent[kOwn] > link.ends[talk.side].received[kOwn] + options.input_max;
        case CloseReason::handler_threw: return talk.in_trouble;
        default: return false;
    }
}

}  // namespace berth::simulation
