// SPDX-License-Identifier: MIT
//
// Handover: an engine between the generation before it and the one after it.
//
// As the younger one it takes listeners over while it starts (Taker); once ready it is the older
// one for whoever comes next (Giver). Everything goes in steps that never wait, on the
// coordinator's thread; only the start waits for its two answers, with a deadline.
//
// Lifetime:  part of its Core.
// Threads:   marked per group.
// See:       docs/internals/handover.md.

#pragma once

#include "engine/handover/counts.hpp"
#include "engine/handover/giver.hpp"
#include "engine/handover/taker.hpp"

#include <berth/clock.hpp>
#include <berth/result.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::engine::handover {

class Handover {
public:
    explicit Handover(Core& core) : core_(core), taker_(core), giver_(core, counts_) {}

    // ── The starting thread ──────────────────────────────────────────────────────────────────
    // The process that made this one is at the other end: the next start takes over from it.
    void connect(driver::Descriptor channel) { channel_ = channel; }
    // Some engines have no part in that: they leave the process's channel to another.
    void ignore_maker() { has_maker_ = false; }
    bool has_maker() const { return has_maker_; }
    // Looks for the generation before, and takes what it has of `addresses`. Those become real
    // ones where a socket was found for them.
    Result<void> take(std::vector<std::string>& addresses, std::vector<InheritedSocket>& into);
    // Listeners are open: remembers which of them will never be ours alone.
    void note_lent();
    // Booted: waits until the generation before has let go.
    Result<void> confirm();
    // Ready: waits for the generation after.
    void begin();
    // The start failed, or the run is over.
    void end(std::string_view outcome = {});

    // ── The coordinator's thread ─────────────────────────────────────────────────────────────
    // By when it wants to be called again at the latest.
    Instant advance() {
        taker_.advance();
        const Instant giver = giver_.advance();
        return std::min(taker_.next_look(), giver);
    }
    // Wakes the coordinator when it can be read.
    std::span<const int> watched();
    // May a stop begin? Not before it is known whose the listeners are.
    bool lets_stop() { return taker_.lets_stop(); }
    // Does another generation accept in our place, so that a stop leaves the listeners to it?
    bool has_given() const { return taker_.has_returned() || giver_.has_committed(); }
    // Asked when a successor has spoken: if the generation before had ended by then, its end has
    // been heard when this returns.
    bool hears_predecessor() { return taker_.hears_predecessor(); }
    // ── For the two ──────────────────────────────────────────────────────────────────────────
    // Every listening socket, described; `sockets` are theirs, in the same order.
    std::vector<OfferedSocket> offer(std::vector<driver::Descriptor>& sockets) const;
    // Two generations have the listeners: a stop of one leaves them to the other.
    bool is_busy() const { return giver_.is_busy(); }  // any thread
    void note_added();  // a listener, while we serve: it is nobody else's
    void share_listeners();
    // One alone, but for those that are somebody else's in any case.
    void own_listeners();

    // ── Any thread ───────────────────────────────────────────────────────────────────────────
    Giver& giver() { return giver_; }
    const Counts& counts() const { return counts_; }

private:
    // A socket of that listener, but for its shard and inode.
    OfferedSocket describe(std::size_t index) const;

    Core& core_;
    Counts counts_;
    Taker taker_;
    Giver giver_;
    driver::Descriptor channel_ = driver::Descriptor::none;
    bool has_maker_ = true;
    std::vector<std::string> asked_;
    std::vector<bool> lent_;  // by listener: a service manager's, whatever we hand over
    std::vector<int> watched_;
};

}  // namespace berth::engine::handover
