// SPDX-License-Identifier: MIT
//
// EventHandler: what a user implements. One object serves all loops of an engine. Every callback
// has a default: do nothing and go on, where nothing else is said.
//
// Order, whatever ends the engine: on_boot, on_loop_start per loop, then per connection
// on_open … on_drain? … on_close exactly once each, then on_loop_stop per loop, and
// on_shutdown last, once.
//
// Lifetime:  must outlive the engine's run.
// Threads:   callbacks of one connection are serial, on its loop's thread. Different loops call
//            at the same time: state shared between connections is the handler's to guard.
// Errors:    a callback that throws loses its own connection (reason handler_threw), never the
//            engine. Where there is no connection, the throw is counted and logged.

#pragma once

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/export.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace berth {

class Connection;
class Datagram;
class Engine;
class Error;
class EventLoop;
struct ListenerReport;
struct StopReport;

// What a callback asks of the loop. Values outside the enum count as none.
enum class Action : std::uint8_t {
    none,
    close,     // close this connection after what is queued has been sent
    shutdown,  // stop the engine gracefully, as Engine::request_stop
};

// Why a connection ended.
enum class CloseReason : std::uint8_t {
    peer_end,           // the peer's FIN, answered
    peer_reset,         // ECONNRESET, EPIPE; of datagrams ECONNREFUSED: nobody is there
    local_close,        // close() or Action::close
    stop_graceful,      // a stop closed it, nothing was cut
    stop_forced,        // the stop's deadline reset it
    idle_timeout,       // Options::idle_timeout
    outbound_overflow,  // a write past Options::output_max
    inbound_overflow,   // more unread than Options::input_max; a packet above packet_max
    handler_threw,
    user_timeout,         // ETIMEDOUT: keepalive or TCP_USER_TIMEOUT
    io_error,             // any other errno
    handed_over,          // it lives on in the next generation
    relay_closed,         // the other side of its relay failed or was closed
    read_timeout,         // Options::read_timeout
    write_stall_timeout,  // Options::write_stall_timeout
    lifetime_max,         // Options::lifetime_max
    memory_max,           // Options::memory_max
};

inline constexpr std::size_t kCloseReasons = 1 + static_cast<std::size_t>(CloseReason::memory_max);

BERTH_EXPORT std::string_view to_string(CloseReason reason);

class BERTH_EXPORT EventHandler {
public:
    virtual ~EventHandler();

    // On the thread that starts the engine: bound, nothing accepted yet, Engine::endpoints()
    // known. A throw is a start failure.
    virtual void on_boot(Engine&);

    // On the loop's thread, before its first and after its last event.
    virtual void on_loop_start(EventLoop&);
    virtual void on_loop_stop(EventLoop&);

    virtual Action on_open(Connection&);
    // EventLoop::connect did not succeed; no on_open and no on_close follow for this id.
    virtual void on_connect_failed(EventLoop&, ConnectionId, const Error&);
    // Bytes have arrived; see Connection::peek.
    virtual Action on_traffic(Connection&);
    // The peer's FIN: it sends no more, and unread bytes are still there. The default closes
    // after what is queued has been sent; `none` keeps the other direction open.
    virtual Action on_end(Connection&);
    // The output fell below Options::output_low after having been above output_high.
    virtual void on_writable(Connection&);
    // A stop has begun. The default closes after flush; with `none` the handler closes when it
    // is done, or the deadline does.
    virtual Action on_drain(Connection&, Deadline);
    // After the last completion: nothing can be written, addresses and context are still valid.
    virtual void on_close(Connection&, CloseReason);

    // ── Datagrams ────────────────────────────────────────────────────────────────────────────
    // A udp:// or unixgram: listener has received one, of no connection; see datagram.hpp.
    virtual void on_datagram(Datagram&);

    // ── The next generation ──────────────────────────────────────────────────────────────────
    // A connection that is idle may travel to the process that takes over (TCP and Unix streams
    // without a transport, nothing unsent, no InFlight token). What is returned arrives there in
    // on_import; on_close(handed_over) follows here. Nothing: it stays, and drains.
    virtual std::optional<Buffer> on_export(Connection&);
    // Instead of on_open, for a connection that travelled: with a new id, and what its unread
    // input was. `state` is good for the call.
    virtual Action on_import(Connection&, Bytes state);

    // ── The operator ─────────────────────────────────────────────────────────────────────────
    // SIGHUP, where berth::run watches signals. On the coordinator's thread.
    virtual void on_reload(Engine&);
    // One listener was closed by Engine::close_listener. On the coordinator's thread.
    virtual void on_listener_closed(Engine&, const ListenerReport&);

    // Called when a loop starts and again after each returned duration; kNever, or a throw, ends
    // it.
    virtual Duration on_tick(EventLoop&);

    // On the coordinator's thread: the one inside run(), or the engine's own after start().
    virtual void on_shutdown(const StopReport&);
};

}  // namespace berth
