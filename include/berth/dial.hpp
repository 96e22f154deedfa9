// SPDX-License-Identifier: MIT
//
// DialOptions: how an outgoing connection is made, and who hears how that ended.
//
//     loop.connect(backend, {.deadline = loop.now() + 2s, .context = Context::make<Job>(job)});
//
// Every attempt that was begun ends exactly once: with on_open, or with on_connect_failed; also
// when the engine stops meanwhile.

#pragma once

#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/context.hpp>
#include <berth/endpoint.hpp>
#include <berth/function.hpp>
#include <berth/result.hpp>

#include <cstddef>
#include <optional>

namespace berth {

class EventLoop;

// Runs once on the loop, after on_open or on_connect_failed: with the id of a connection that was
// opened, and may be closed again already, or with the reason why there is none.
using DialCompletion = UniqueFunction<void(EventLoop&, const Result<ConnectionId>&)>;

struct DialOptions {
    static constexpr std::size_t kAnyLoop = static_cast<std::size_t>(-1);

    Deadline deadline = Deadline::never();  // of the attempt
    // Where it comes from (bind(2)); port 0: the kernel chooses. Not for Unix sockets.
    std::optional<Endpoint> local = {};
    // What Connection::context gives from on_open on; destroyed if it comes to nothing.
    Context context = {};
    // As Options::descriptors_max, of this connection, which is one of unix: or unixpacket:.
    std::size_t descriptors_max = 0;
    DialCompletion done = {};
    // Of Engine::connect: which loop. `id.loop()` is the one of another connection; kAnyLoop: each
    // in turn.
    std::size_t loop = kAnyLoop;
};

}  // namespace berth
