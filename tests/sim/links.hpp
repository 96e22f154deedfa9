// SPDX-License-Identifier: MIT
//
// Links: every connection of a world seen from both its ends, and the conservation of its bytes.
//
// Each byte says what it is. Its high bit names its source: 0 for what an end sends by itself, 1
// for what is written to a connection from outside its loop; the other seven follow from its
// position in that source. So a lost, doubled or misplaced byte shows where it is read, though
// the two sources mix in an order that nobody knows beforehand. Both ends use the same bytes:
// an echo is its own proof.
//
// Lifetime:  links stay where they are until the world ends.

#pragma once

#include "sim/findings.hpp"
#include "sim/schedule.hpp"

#include <berth/bytes.hpp>
#include <berth/connection_id.hpp>
#include <berth/endpoint.hpp>
#include <berth/handler.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace berth::simulation {

enum Side : std::uint8_t { kDialer, kAcceptor };
constexpr Side other(Side side) { return side == kDialer ? kAcceptor : kDialer; }

enum Source : std::uint8_t { kOwn, kOutside };
using Counts = std::array<std::uint64_t, 2>;  // of bytes, by source

struct End {
    bool is_peer = false;       // a scripted one, and not an engine's
    Counts sent{};              // taken by the stack below
    std::uint64_t written = 0;  // of kOutside, by their completions
    Counts received{};          // consumed
    bool ended = false;         // a peer has said that it sends no more
    bool gone = false;          // has closed, or died
    bool cut = false;           // ended it in a way that may be a reset
    bool heard_end = false;     // has the other's FIN
    bool heard_reset = false;
    bool vanished = false;   // what it has sent may never arrive
    bool knows_all = false;  // a peer that has read whatever came to its machine
};

struct Link {
    std::size_t number = 0;
    std::string key;  // the dialer's address
    Manners manners;
    std::array<End, 2> ends;
    bool is_unix = false;               // nothing can reset it
    bool doubtful = false;              // another link had the same key: bytes may be another's
    bool civil = false;                 // neither end gives a reason to cut it off
    bool disturbed = false;             // somebody interfered: an answer is not owed
    std::size_t engine = 0;             // the acceptor's
    ConnectionId id;                    // of the acceptor's connection
    std::optional<CloseReason> reason;  // why it was closed there
    Instant last_activity;

    std::string name() const { return "link " + std::to_string(number); }
};

// `count` bytes of a source from position `from` on.
std::vector<std::byte> pattern(const Link& link, Source source, std::uint64_t from,
                               std::size_t count);

class Links {
public:
    explicit Links(Findings& findings) : findings_(findings) {}

    // The dialer's, as soon as it knows its address.
    Link& begin(const std::string& key, const Manners& manners);
    // The link of that dialer's address; a new one if nobody has begun it.
    Link& of(const std::string& key);
    std::deque<Link>& all() { return links_; }

    // Are these the next bytes of the other end? `at` is where they begin, and then end.
    void check(const Link& link, Side reader, Bytes bytes, Counts& at);
    // The other end's FIN: everything that it sent by itself must have come before it.
    void heard_end(Link& link, Side reader, std::uint64_t unread);
    // When everything is over.
    void check_ends();

private:
    void check_complete(const Link& link, Side reader);
    void check_reset(const Link& link, Side reader);

    Findings& findings_;
    std::deque<Link> links_;
    std::map<std::string, Link*> by_key_;
};

}  // namespace berth::simulation
