// SPDX-License-Identifier: MIT
//
// DialOptions: how an outgoing connection is made, and who hears how that ended.
//
//     loop.connect(backend, {.deadline = loop.now() + 2s, .context = Context::make<Job>(job)});
//
// Every dial that was begun ends exactly once: with on_open, or with on_connect_failed; also when
// the engine stops meanwhile. That holds however many addresses are tried for it, and how often.
//
// Errors:    a value out of range fails the dial with ErrorCode::invalid_option and its name.
// See:       docs/guides/client.md

#pragma once

#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/context.hpp>
#include <berth/endpoint.hpp>
#include <berth/function.hpp>
#include <berth/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace berth {

class EventLoop;

// Runs once on the loop, after on_open or on_connect_failed: with the id of a connection that was
// opened, and may be closed again already, or with the reason why there is none.
using DialCompletion = UniqueFunction<void(EventLoop&, const Result<ConnectionId>&)>;

// Tries again what may pass: refused, timed out, unreachable, a name server without an answer. A
// name is looked up anew each time. Pauses are random between nothing and a bound that grows (full
// jitter), so that many who lost the same server do not come back together. One that would reach
// the deadline is not begun: the dial fails at once.
struct DialRetry {
    unsigned attempts = 1;  // all together; each tries every address once
    Duration first_delay = std::chrono::milliseconds{100};  // bound of the first pause
    double factor = 2;                                      // by which it grows, at least 1
    Duration delay_max = std::chrono::seconds{10};          // and no further
    std::uint64_t seed = 0;  // of the jitter, for tests; 0: by chance
};

struct DialOptions {
    static constexpr std::size_t kAnyLoop = static_cast<std::size_t>(-1);

    Deadline deadline = Deadline::never();  // of everything: names, attempts, pauses, a handshake
    // Where it comes from (bind(2)); port 0: the kernel chooses. Not for Unix sockets. Of a name
    // only addresses of the same family are tried.
    std::optional<Endpoint> local = {};
    // What Connection::context gives from on_open on; destroyed if it comes to nothing.
    Context context = {};
    // As Options::descriptors_max, of this connection, which is one of unix: or unixpacket:.
    std::size_t descriptors_max = 0;
    DialCompletion done = {};
    // Of Engine::connect: which loop. `id.loop()` is the one of another connection; kAnyLoop: each
    // in turn.
    std::size_t loop = kAnyLoop;
    // How long an address of a name is tried alone before the next one is tried beside it
    // (RFC 8305, 5). From 10 ms to 10 s.
    Duration attempt_delay = std::chrono::milliseconds{250};
    DialRetry retry = {};
};

}  // namespace berth
