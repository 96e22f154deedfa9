// SPDX-License-Identifier: MIT
//
// Messages: what two generations of a server say to each other.
//
// One message is one packet of a Unix SOCK_SEQPACKET socket: a head of four bytes (a mark, the
// version, the kind) and a body in little-endian order. Descriptors travel beside it, in the
// order in which the body describes them. What is read came from another process: it is believed
// only after every length was checked.
//
// Lifetime:  values; a decoded Passenger owns its bytes.
// Threads:   no shared state.
// Errors:    EPROTO: not a message. EPROTONOSUPPORT: one of another version.
// See:       docs/internals/handover.md for who says what when.

#pragma once

#include "base/outcome.hpp"

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace berth::engine::handover {

// Raised with every change to a body. Refused says the same in all versions.
inline constexpr std::uint8_t kVersion = 1;

// The largest message: a passenger with all it may carry.
inline constexpr std::size_t kMessageMax = 160U << 10U;
inline constexpr std::size_t kPassengerMax = 128U << 10U;  // its unread input and its state
inline constexpr std::size_t kTextMax = 4U << 10U;
inline constexpr std::size_t kAddressMax = 512;
inline constexpr std::size_t kOfferMax = 100;  // sockets per message; the kernel would take 253

// New to old, first: who asks.
struct Hello {
    std::uint64_t process = 0;

    friend bool operator==(const Hello&, const Hello&) = default;
};

// Old to new: no. The old one goes on as if nobody had asked.
struct Refused {
    std::string reason{};

    friend bool operator==(const Refused&, const Refused&) = default;
};

// One listening socket; its descriptor travels with the Offer, at the same place.
struct OfferedSocket {
    std::uint32_t listener = 0;  // index in the addresses of the old one
    std::uint32_t shard = 0;
    bool is_lent = false;           // a service manager's: never to be shut down
    std::string address{};          // the real one
    std::string asked{};            // as it was configured
    std::uint64_t inode = 0;        // of the socket
    std::uint64_t path_device = 0;  // of a Unix path: where the name leads
    std::uint64_t path_inode = 0;

    friend bool operator==(const OfferedSocket&, const OfferedSocket&) = default;
};

// Old to new: some of the sockets.
struct Offer {
    std::uint64_t generation = 0;  // of the old one
    bool is_last = true;
    std::vector<OfferedSocket> sockets{};

    friend bool operator==(const Offer&, const Offer&) = default;
};

// New to old: every socket was adopted or returned, that is, closed without a word to its queue.
struct Adopted {
    std::uint32_t adopted = 0;
    std::uint32_t returned = 0;

    friend bool operator==(const Adopted&, const Adopted&) = default;
};

// Those that say all by their kind.
struct Ready {  // new to old: booted, would accept now
    friend bool operator==(const Ready&, const Ready&) = default;
};
struct Commit {  // old to new: I accept no more, go
    friend bool operator==(const Commit&, const Commit&) = default;
};
struct Rollback {  // new to old: I stop, take it back
    friend bool operator==(const Rollback&, const Rollback&) = default;
};
struct Resumed {  // old to new: I accept again
    friend bool operator==(const Resumed&, const Resumed&) = default;
};
struct Final {  // old to new: I will never accept again
    friend bool operator==(const Final&, const Final&) = default;
};

// Old to new: a live connection, its socket beside it.
struct Passenger {
    std::uint64_t serial = 0;
    std::uint32_t listener = 0;  // index in the addresses of the old one
    IpEndpoint peer;             // family 0: Unix
    std::optional<Duration> idle_left;
    Buffer unread;
    Buffer state;
};

// New to old: what became of a passenger. Not taken: it is the old one's again.
struct Imported {
    std::uint64_t serial = 0;
    bool is_taken = false;

    friend bool operator==(const Imported&, const Imported&) = default;
};

// Old to new: how many connections it still serves.
struct DrainStatus {
    std::uint64_t connections = 0;

    friend bool operator==(const DrainStatus&, const DrainStatus&) = default;
};

// Old to new: the last word, with the outcome of its stop.
struct Bye {
    std::string outcome{};

    friend bool operator==(const Bye&, const Bye&) = default;
};

// The order is the number of the kind on the wire, from 0.
using Message = std::variant<Hello, Refused, Offer, Adopted, Ready, Commit, Rollback, Resumed,
                             Final, Passenger, Imported, DrainStatus, Bye>;

std::vector<std::byte> encode(const Message& message);
base::Outcome<Message> decode(Bytes bytes);

}  // namespace berth::engine::handover
