// SPDX-License-Identifier: MIT
//
// Farewell: what is remembered of a connection while it ends, and only then.
//
// Kept apart from the connection, in its table by slot: one that is open pays nothing for it.
//
// Threads:   the loop's.

#pragma once

#include <berth/clock.hpp>
#include <berth/endpoint.hpp>

#include <cstdint>

namespace berth::net {

struct Farewell {
    Instant told_at;         // of the stop; or when it will be
    Instant fin_at;          // our FIN
    std::uint64_t late = 0;  // bytes of the peer's that were dropped since it began to close
    IpEndpoint local;        // for on_close, when there is no socket left to ask; family 0: unknown

    // The last look at how the peer keeps up.
    Instant looked_at;
    std::uint64_t written = 0;
    std::uint64_t acknowledged = 0;
};

// Where the bytes of a connection are, by the end of it. Their sum is what was written.
struct Fate {
    std::uint64_t acknowledged = 0;  // with the peer's kernel
    std::uint64_t discarded = 0;     // never sent: lost
    std::uint64_t unconfirmed = 0;   // sent, not acknowledged: perhaps lost
};

// What a stop, of the engine or of one listener, grants its connections.
struct DrainTerms {
    Deadline deadline;
    Instant fin_by;  // nobody is waited for longer, so that the FIN is answered in time
};

}  // namespace berth::net
