// SPDX-License-Identifier: MIT
//
// Connection: one established stream (TCP or Unix).
//
// Lifetime:  the loop owns it. A Connection& is good for the callback it was passed to and no
//            longer. To reach it later, from anywhere, keep its ConnectionId.
// Threads:   every call is loop-only (asserted in debug builds).
// Errors:    a failed stream is reported once, as the reason given to on_close. Calls on a
//            connection that is closing are defined and do nothing.
//
// No call below ever runs a callback from inside.

#pragma once

#include <berth/buffer.hpp>
#include <berth/bytes.hpp>
#include <berth/clock.hpp>
#include <berth/connection_id.hpp>
#include <berth/endpoint.hpp>
#include <berth/export.hpp>
#include <berth/function.hpp>
#include <berth/in_flight.hpp>
#include <berth/timer_id.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace berth {

class EventLoop;

enum class CloseMode : std::uint8_t {
    after_flush,  // send what is queued, then FIN, then wait for the peer's FIN (bounded)
    now,          // close at once; if queued bytes are lost by that, it is a reset
    reset,        // drop what is queued, RST (SO_LINGER 0, socket(7))
};

// What became of a write. It may be ignored: a refused write also closes the connection.
enum class WriteStatus : std::uint8_t {
    queued,     // all bytes taken
    over_high,  // all bytes taken, and the output is above Options::output_high: slow down
    refused,    // none taken: closing, or past Options::output_max (reason outbound_overflow)
};

struct ConnectionCounters {
    std::uint64_t bytes_received = 0;  // read from the kernel
    std::uint64_t bytes_written = 0;   // taken by write()
    std::uint64_t bytes_sent = 0;      // taken by the kernel
};

class BERTH_EXPORT Connection {
public:
    static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t kNoListener = 0xffff;

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // ── Input ────────────────────────────────────────────────────────────────────────────────
    // Unread bytes are one contiguous view. It is valid until the next input call or the end of
    // the callback. What a handler leaves unread is kept and seen again with the next bytes.

    Bytes peek() const;                             // all unread bytes, not consumed
    Bytes next(std::size_t count = kAll);           // consumes and views up to `count` bytes
    std::size_t read(MutableBytes into);            // consumes and copies; 0 when there is nothing
    std::size_t discard(std::size_t count = kAll);  // consumes without looking; how many
    Buffer take(std::size_t count = kAll);  // consumes into a Buffer that may be kept and sent
    std::size_t unread() const;

    // Stops and restarts reading; on_traffic is not called while paused. Calls do not nest.
    void pause_read();
    void resume_read();

    // ── Output ───────────────────────────────────────────────────────────────────────────────
    // Writes of one callback leave together in one system call when the callback returns; large
    // ones leave at once. A write takes all bytes or none.

    WriteStatus write(Bytes bytes);
    WriteStatus write(std::string_view text) { return write(as_bytes(text)); }
    WriteStatus write(Buffer&& buffer);  // without a copy

    void flush();  // hands queued bytes to the kernel now, as far as it takes them
    // Queued here, not yet taken by the kernel. Over io_uring what a callback wrote leaves a moment
    // after it has returned; it is not counted meanwhile, and comes back if the kernel has no room.
    std::size_t unsent() const;

    // Half-close: FIN after what is queued. The peer may go on sending, and is read.
    void end();
    // Starts closing; a stricter mode overrides a gentler one. on_close follows exactly once.
    void close(CloseMode mode = CloseMode::after_flush);

    // Marks that a request is being worked on: while the token lives the connection is busy, and
    // a stop waits for it. For work that leaves the callback; writes need none.
    InFlight begin();

    // ── Time ─────────────────────────────────────────────────────────────────────────────────
    // As EventLoop::schedule_after and schedule_every, and for this connection only: what waits
    // when it closes never runs, and is gone after on_close. EventLoop::cancel takes it back. A
    // throw loses the connection (reason handler_threw).

    TimerId schedule_after(Duration delay, UniqueFunction<void(Connection&)> task);
    TimerId schedule_every(Duration period, UniqueFunction<void(Connection&)> task);

    // ── Identity ─────────────────────────────────────────────────────────────────────────────

    ConnectionId id() const;
    EventLoop& loop() const;
    // Which of the addresses given to start() accepted it, from 0; kNoListener for one that
    // EventLoop::connect opened.
    std::size_t listener_index() const;
    // Also in on_close; but a Unix peer's own name, if it has one, only before.
    Endpoint peer_endpoint() const;
    Endpoint local_endpoint() const;
    ConnectionCounters counters() const;
    // False once it is closing: nothing written from now on will be sent.
    bool is_open() const;

    // ── Context: one object of the user's per connection, destroyed after on_close ───────────

    template <class T, class... Args>
    T& emplace_context(Args&&... args) {
        T* object = new T(std::forward<Args>(args)...);
        set_context(object, &kContextTag<T>);
        return *object;
    }
    // The object made by emplace_context<T>; null when there is none, or one of another type.
    template <class T>
    T* context() const {
        return static_cast<T*>(context_if(&kContextTag<T>));
    }

protected:
    Connection() = default;
    ~Connection() = default;

private:
    using Destroy = void (*)(void*);
    template <class T>
    static constexpr Destroy kContextTag = [](void* object) { delete static_cast<T*>(object); };

    void set_context(void* object, const Destroy* tag);
    void* context_if(const Destroy* tag) const;
};

}  // namespace berth
