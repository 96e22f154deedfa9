// SPDX-License-Identifier: MIT
//
// Departure: live connections on their way out, until the next generation says that it has them.
//
// Who travels has been closed here (on_close, handed_over) and lives on as a Traveller: a
// duplicate of the socket, and the bytes. It is kept until the answer. If the successor does not
// want it, or dies before it answered, the connection is opened here again.
//
// Lifetime:  part of its Giver.
// Threads:   the coordinator's.

#pragma once

#include "engine/handover/channel.hpp"
#include "engine/handover/couriers.hpp"

#include <berth/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

namespace berth::engine::handover {

class Departure {
public:
    explicit Departure(Core& core) : core_(core), exported_(core), brought_back_(core) {}

    // Asks the loops for their travellers.
    void begin();
    // Takes what the loops have answered. In every stage: a loop may answer after a rollback, and
    // then it gets its connections back.
    void collect();
    // Sends what can be sent now. Fails as Channel::send does, but for EAGAIN.
    base::Outcome<void> advance(Channel& channel);
    // Everybody has been answered for.
    bool is_done() const { return loops_asked_ == 0 && waiting_.empty() && sent_.empty(); }
    // Who could not be sent yet stays here.
    void stop_sending();
    void imported(std::uint64_t serial, bool is_taken);
    // The successor is dead: whoever it did not answer for is ours again.
    void take_back_all();
    // The successor does not answer, but may have them: nobody is served twice.
    void give_up_all();

    std::uint64_t moved() const { return moved_; }
    Instant next_look() const { return next_look_; }

private:
    // As many sockets on the way as the kernel is sure to allow, unix(7) ETOOMANYREFS.
    static constexpr std::size_t kOnTheWayMax = 64;

    base::Outcome<void> send_first(Channel& channel);
    void admit(net::Traveller&& traveller);
    void take_back(net::Traveller traveller);

    Core& core_;
    Mailbox<Departed> exported_;
    Mailbox<Arrived> brought_back_;
    std::size_t loops_asked_ = 0;  // that have not answered
    std::deque<net::Traveller> waiting_;
    std::map<std::uint64_t, net::Traveller> sent_;
    std::uint64_t next_serial_ = 1;
    std::uint64_t moved_ = 0;
    bool sends_ = false;
    Instant next_look_ = Instant::never();
};

}  // namespace berth::engine::handover
