// SPDX-License-Identifier: MIT
//
// Taker: the starting generation, as it takes over from the one that runs.
//
// The start itself waits for the two answers that it depends on, OFFER and COMMIT. Until COMMIT
// it has accepted nobody: whatever goes wrong, its copies of the sockets are closed, and the old
// one never knew. From COMMIT on it serves; until FINAL, or the death of the old one, the
// listeners could go back.
//
// Lifetime:  part of its Core; one takeover per run.
// Threads:   the starting thread, then the coordinator's.
// See:       docs/internals/handover.md.

#pragma once

#include "engine/handover/channel.hpp"
#include "engine/handover/couriers.hpp"
#include "engine/inherited_socket.hpp"

#include <berth/clock.hpp>
#include <berth/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::engine::handover {

class Taker {
public:
    explicit Taker(Core& core);

    void reset();

    // ── The starting thread ──────────────────────────────────────────────────────────────────
    // Asks the generation at the other end, and waits for what it offers.
    Result<void> ask(driver::Descriptor socket);
    // Takes the sockets of those addresses into `into`; the rest goes back. Where one was found,
    // the address becomes the real one.
    Result<void> claim(std::vector<std::string>& addresses, std::vector<InheritedSocket>& into);
    // Booted: waits for COMMIT. Also true when a stop was requested first: then the listeners are
    // not ours.
    Result<void> confirm();

    // ── The coordinator's thread ─────────────────────────────────────────────────────────────
    void advance();
    // By when it wants to be called again at the latest.
    Instant next_look() const { return std::min(again_, stage_end_); }
    // Listens once more: is the generation before still there?
    bool hears_predecessor() {
        advance();
        return has_predecessor();
    }
    // May a stop begin? Not before it is known whose the listeners are.
    bool lets_stop();
    void end();

    // Was there somebody to take over from, in this run?
    bool is_successor() const { return stage_ != Stage::absent; }
    // Is the generation before still there?
    bool has_predecessor() const { return channel_.is_open(); }
    // Did they?
    bool has_returned() const { return stage_ == Stage::returned; }
    // Did that listener come from the generation before?
    bool has_taken(std::size_t listener) const {
        return listener < matches_.size() && matches_[listener].has_value();
    }
    bool is_lent(std::size_t listener) const { return listener < lent_.size() && lent_[listener]; }
    std::uint64_t generation() const { return generation_; }
    driver::Descriptor descriptor() const { return channel_.descriptor(); }

private:
    enum class Stage : std::uint8_t {
        absent,
        asking,        // HELLO said; OFFERs are awaited
        offered,       // all are there
        confirming,    // READY said; COMMIT is awaited
        probation,     // we accept; the old one could
        rolling_back,  // ROLLBACK said; the answer is awaited
        returned,      // the old one accepts
        owner,         // nobody else does
    };

    Result<void> wait_for(Stage stage);
    void say(const Message& message);
    void listen();
    bool obey(Arrival& arrival);
    bool take_offer(const Offer& offer, Attached& attached);
    bool board(Passenger& passenger, Attached& attached);
    void answer_passengers();
    void lose(std::string_view why);
    bool own(std::string_view why);
    std::optional<std::size_t> listener_of(std::uint32_t before) const;
    Error failed(std::string why) const;
    void enter(Stage stage);
    void log(std::string_view step, std::string_view why = {}) const;

    Core& core_;
    Channel channel_;
    Mailbox<Arrived> arrivals_;
    std::size_t boarding_ = 0;  // passengers on their way to a loop
    std::deque<Imported> answers_;
    Stage stage_ = Stage::absent;
    Instant stage_end_ = Instant::never();
    Instant again_ = Instant::never();
    std::string failure_;  // why there will be no COMMIT
    std::uint64_t generation_ = 0;
    std::vector<OfferedSocket> offered_;
    std::vector<Attached> attached_;                     // one per OFFER
    std::vector<std::optional<std::uint32_t>> matches_;  // by our listener, the old one's
    std::vector<bool> lent_;                             // by our listener
};

}  // namespace berth::engine::handover
