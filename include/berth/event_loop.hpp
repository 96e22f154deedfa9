// SPDX-License-Identifier: MIT
//
// EventLoop: one thread's world: its connections, timers and tasks.
//
// Lifetime:  lives as long as its engine runs; a reference is good until on_loop_stop returns.
// Threads:   loop-only, except where marked *any thread*.

#pragma once

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/context.hpp>
#include <berth/destination.hpp>
#include <berth/dial.hpp>
#include <berth/endpoint.hpp>
#include <berth/export.hpp>
#include <berth/function.hpp>
#include <berth/result.hpp>
#include <berth/timer_id.hpp>

#include <cstddef>
#include <string_view>

namespace berth {

class Connection;
class Engine;

class BERTH_EXPORT EventLoop {
public:
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    Engine& engine() const;     // any thread
    std::size_t index() const;  // any thread; from 0
    // The time of this iteration, cached: costs nothing, at most one iteration old.
    Instant now() const;

    // The connection of that id if it is one of this loop's and still open; null otherwise.
    Connection* find(ConnectionId id);
    // Every open connection of this loop. `visit` may close the one it is given, and any other.
    void for_each(UniqueFunction<void(Connection&)> visit);
    // Queues one shared block to every open connection of this loop; how many took it.
    std::size_t broadcast(const Buffer& buffer);
    std::size_t connection_count() const;

    // Opens a connection of this loop, of any scheme, without blocking. A name is looked up off the
    // loop; its addresses are tried in the way of happy eyeballs (RFC 8305).
    // on_open follows, or on_connect_failed: one of them, exactly once, never from inside this
    // call. The id names the dial from now on; close(id) on the engine gives it up.
    // Fails at once only where no attempt could be made (descriptor limit, stopping, an option).
    Result<ConnectionId> connect(const Destination& to, Deadline deadline = Deadline::never());
    // The same; `options.done` runs once unless this fails at once. Its loop is this one.
    Result<ConnectionId> connect(const Destination& to, DialOptions options);

    // Takes over a connected socket that somebody else has opened, of a stream, of Unix packets or
    // of datagrams: on_open follows, as for one that was dialled; packets are as those of a
    // unixpacket: listener, descriptors with them included. From then on the descriptor is the
    // loop's; if this fails, it is still the caller's. Refused: what is of another kind, listens,
    // is not connected, or is this loop's already.
    Result<ConnectionId> adopt(int descriptor, Context context = {});

    // ── Datagrams ────────────────────────────────────────────────────────────────────────────
    // A datagram from that udp:// or unixgram: listener, by its index, to `to`. It leaves before
    // the loop sleeps, with others. True: it was taken; no more is promised, see datagram.hpp.
    // False: there is no such listener any more, `to` is none of its addresses, or it is more than
    // a datagram carries.
    bool send_to(std::size_t listener, const Endpoint& to, Bytes bytes);
    bool send_to(std::size_t listener, const Endpoint& to, std::string_view text) {
        return send_to(listener, to, as_bytes(text));
    }

    // ── Time ─────────────────────────────────────────────────────────────────────────────────
    // Runs `task` on this loop, once, when `delay` from now() has passed: never before, and a
    // millisecond or an iteration later at most. It runs exactly once, unless it is cancelled,
    // or dropped when the engine stops (and counted in the report). A throw is counted and
    // logged. The id is 0 if no timer could be made: the loop has ended, or has no memory.
    TimerId schedule_after(Duration delay, UniqueFunction<void(EventLoop&)> task);
    // The same at every `period` (1 ms at least) from now() on. The beat does not drift with late
    // firings, and beats that a busy loop has missed are left out. A throw does not end it.
    TimerId schedule_every(Duration period, UniqueFunction<void(EventLoop&)> task);
    // True: it was waiting, and does not run (again). False: it is over, or not of this loop.
    bool cancel(TimerId id);

    // The same from any thread, in the order of the calls; the delay counts from the call.
    TimerId post_after(Duration delay, UniqueFunction<void(EventLoop&)> task);
    TimerId post_every(Duration period, UniqueFunction<void(EventLoop&)> task);
    // False: not of this loop, or the loop has ended. Otherwise a run that has not begun when
    // this returns does not begin any more; one that has is not waited for.
    bool post_cancel(TimerId id);

    // ── Tasks ────────────────────────────────────────────────────────────────────────────────
    // Any thread. Runs `task` on this loop, in the order of posting. False: the engine is past
    // accepting tasks and `task` was not taken. A task that was taken is run, or dropped when
    // the engine stops (and counted in the report).
    bool post(UniqueFunction<void(EventLoop&)> task);

protected:
    EventLoop() = default;
    ~EventLoop() = default;
};

}  // namespace berth
